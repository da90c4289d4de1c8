import type { Exchange } from "./bare-loop.ts";

/** The addresses of the embedded Graph and its token endpoint. */
export interface NaiveSource {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly authorityHost: string;
  readonly graphUrl: string;
}

interface Person {
  readonly id: string;
  readonly userPrincipalName: string;
  readonly displayName: string | null;
  readonly givenName: string | null;
  readonly surname: string | null;
  readonly jobTitle: string | null;
  readonly accountEnabled: boolean;
}

/**
 * Does what a script of an afternoon does: reads everybody, looks each one up in Lattice by userName, creates the accounts that are
 * not there and patches those that differ, one by one. It knows no managers, no limits and no failures, and remembers nothing.
 * @returns requests sent to Lattice
 */
export async function naiveSync(
  source: NaiveSource,
  latticeUrl: string,
  exchange: Exchange,
): Promise<number> {
  let requests = 0;
  const lattice = async (method: string, path: string, body?: object): Promise<unknown> => {
    requests += 1;
    return JSON.parse(
      await exchange(method, latticeUrl + path, body === undefined ? undefined : JSON.stringify(body)),
    );
  };
  for (const person of await readEverybody(source)) {
    const account = accountOf(person);
    const filter = encodeURIComponent(`userName eq "${account.userName}"`);
    const found = (await lattice("GET", `/Users?filter=${filter}`)) as {
      readonly Resources: readonly { readonly id: string }[];
    };
    const [existing] = found.Resources;
    if (existing === undefined) await lattice("POST", "/Users", account);
    else if (differs(existing, account)) {
      const Operations = Object.entries(account).map(([path, value]) => ({ op: "replace", path, value }));
      await lattice("PATCH", `/Users/${existing.id}`, { Operations });
    }
  }
  return requests;
}

function accountOf(person: Person) {
  return {
    userName: person.userPrincipalName,
    externalId: person.id,
    active: person.accountEnabled,
    displayName: person.displayName,
    title: person.jobTitle,
    name: { givenName: person.givenName, familyName: person.surname },
  };
}

function differs(existing: object, wanted: object): boolean {
  const held = new Map<string, unknown>(Object.entries(existing));
  return Object.entries(wanted).some(
    ([path, value]) => JSON.stringify(held.get(path)) !== JSON.stringify(value),
  );
}

async function readEverybody(source: NaiveSource): Promise<Person[]> {
  const answer = await fetch(`${source.authorityHost}/${source.tenantId}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: source.clientId,
      client_secret: source.clientSecret,
      scope: "https://graph.microsoft.com/.default",
    }),
  });
  const { access_token: token }: { access_token: string } = JSON.parse(await answer.text());
  const everybody: Person[] = [];
  const fields = "id,userPrincipalName,displayName,givenName,surname,jobTitle,accountEnabled";
  for (
    let next: string | undefined = `${source.graphUrl}/v1.0/users?$top=999&$select=${fields}`;
    next !== undefined;
  ) {
    const answered = await fetch(next, { headers: { authorization: `Bearer ${token}` } });
    const page: { value: Person[]; "@odata.nextLink"?: string } = JSON.parse(await answered.text());
    everybody.push(...page.value);
    next = page["@odata.nextLink"];
  }
  return everybody;
}
