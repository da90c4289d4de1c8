import type { FoundPerson } from "../../domain/person-search.ts";
import type { LinkedTarget, StateStore } from "../../domain/store.ts";
import type { Mapping } from "../../mapping/rules/mapping.ts";

/** Candidates that are listed; the others are counted. */
const listed = 20;

/** Who is meant by a name, an id or a part of a name. */
export interface Found {
  readonly asked: string;
  /** The person in Entra's picture, or one whom only the log knows. */
  readonly objectId: string | null;
  /** The account that was found by itself, where nobody in Entra's picture is behind it. */
  readonly account: LinkedTarget | null;
  /** Who was found by a part of a name; `null` where a whole user name or id was given. */
  readonly byPart: FoundPerson | null;
  /** Several people may be meant: the closest of them. Empty where one was found, or nobody. */
  readonly candidates: readonly FoundPerson[];
  /** How many there are besides. */
  readonly moreCandidates: number;
}

/**
 * Looks for a person as people name one: by user principal name or object id, by the userName that the mapping gives, by
 * the id or the userName of an account in Lattice; where none of these is the text as a whole, by a part of a name. Letter
 * case does not matter in names.
 * @param mapping what it redacts is not searched
 * @param how `alone`, for what is to be written: nobody is found where another person has the same externalId or, by a part, it
 * in a name
 */
export async function findPerson(
  store: StateStore,
  asked: string,
  mapping: Mapping,
  how: { readonly alone: boolean } = { alone: false },
): Promise<Found> {
  const nobody = { asked, objectId: null, account: null, byPart: null, candidates: [], moreCandidates: 0 };
  const shared = how.alone && (await isShared(store, asked));
  const exact = shared ? { objectId: null, account: null } : await findExactly(store, asked);
  if (exact.objectId !== null || exact.account !== null) return { ...nobody, ...exact };
  // A name that the log has as a whole is not a part of others.
  if (!shared && (await store.history({ person: asked.trim(), limit: 1 })).length > 0) return nobody;
  const found = await store.searchPeople({
    text: asked,
    limit: listed,
    concealed: concealedBy(mapping),
  });
  const [first] = found.people;
  if (first === undefined) return nobody;
  if (found.total > 1 && (how.alone || found.equal !== 1)) {
    const { people: candidates } = found;
    return { ...nobody, candidates, moreCandidates: found.total - candidates.length };
  }
  const { objectId, latticeId } = first;
  const account = objectId === null && latticeId !== null ? await store.accountOf(latticeId) : null;
  return { ...nobody, byPart: first, objectId, account };
}

/** Who has this as a whole name or id. */
export async function findExactly(
  store: StateStore,
  asked: string,
): Promise<Pick<Found, "objectId" | "account">> {
  const wanted = asked.trim();
  const source = (await store.findSource(wanted)) ?? (await store.findSource(wanted.toLowerCase()));
  if (source !== null) return { objectId: source.objectId, account: null };

  const account = await findAccount(store, wanted);
  const owner = account === null ? null : await store.ownerOf(account.latticeId);
  if (owner !== null && (await store.findSource(owner)) !== null) return { objectId: owner, account: null };
  const key = wanted.toLowerCase();
  const mapped = (await store.sharing([key], true)).get(key) ?? [];
  return { objectId: mapped[0] ?? null, account };
}

/** Whether several have this as a whole name or externalId, where it is nobody's object id, user principal name or Lattice id. */
async function isShared(store: StateStore, asked: string): Promise<boolean> {
  const wanted = asked.trim();
  const key = wanted.toLowerCase();
  if ((await store.findSource(wanted)) ?? (await store.findSource(key)) ?? (await store.accountOf(wanted))) {
    return false;
  }
  const { byUserName, byExternalId } = await accountsWith(store, wanted);
  const accounts = new Set([...byUserName, ...byExternalId].map(({ latticeId }) => latticeId));
  return accounts.size > 1 || ((await store.sharing([key], true)).get(key) ?? []).length > 1;
}

async function accountsWith(store: StateStore, wanted: string) {
  const answers = await store.matches([{ objectId: "", userName: wanted, externalId: wanted, lost: [] }]);
  const { byUserName = [], byExternalId = [] } = answers.get("") ?? {};
  return { byUserName, byExternalId };
}

async function findAccount(store: StateStore, wanted: string): Promise<LinkedTarget | null> {
  const byId = await store.accountOf(wanted);
  if (byId !== null) return byId;
  const { byUserName, byExternalId } = await accountsWith(store, wanted);
  return byUserName[0] ?? byExternalId[0] ?? null;
}

/** Graph properties and target paths of which a mapping shows nothing. */
export function concealedBy({ attributes }: Mapping): readonly string[] {
  return attributes.flatMap(({ concealed, redacted, target }) => [
    ...concealed,
    ...(redacted ? [target] : []),
  ]);
}

/** Whether a text can be a user principal name or an object id, which Entra is asked for as it stands. */
export function isIdentifier(text: string): boolean {
  return text.includes("@") || /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i.test(text.trim());
}
