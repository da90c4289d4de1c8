import type { JsonObject } from "../domain/json.ts";
import { isJsonObject } from "../domain/json.ts";
import { type Account, type Accounts, renderAccount } from "./accounts.ts";
import type { AccountWriter } from "./lifecycle.ts";
import { type AccountDocument, checkDocument, type ReadingRules, readDocument } from "./scim-document.ts";
import { coreURN } from "./scim-schema.ts";

/**
 * The view and the actions of an administrator of the embedded Lattice, without the SCIM API's restrictions.
 * Resources have the form that a SCIM client reads.
 */
export interface LatticeAdmin {
  /** Every account in the order of creation, read in pages inside. */
  accounts(): Generator<JsonObject, void>;
  get(id: string): JsonObject | undefined;
  /** Case-insensitive. */
  byUserName(userName: string): JsonObject | undefined;
  /** Case-exact. */
  byExternalId(externalId: string): JsonObject | undefined;
  count(): number;
  /** Creates an account from SCIM attributes (`schemas` may be left out). @throws ScimRefusal as the API would */
  create(resource: JsonObject): JsonObject;
  /** Changes an account: `null` clears, members of extensions are merged, and externalId may be changed too. */
  edit(id: string, changes: JsonObject): JsonObject;
  /** Removes an account for good, which the API cannot do. */
  remove(id: string): void;
  /** User names of the people who were invited by mail since the start, in order. */
  invitations(): readonly string[];
}

export function createLatticeAdmin(
  accounts: Accounts,
  writer: AccountWriter,
  rules: ReadingRules,
  baseUrl: () => string,
  extensionName: (name: string) => string,
): LatticeAdmin {
  const render = (account: Account): JsonObject => renderAccount(account, baseUrl(), extensionName);
  const rendered = (account: Account | undefined) => (account === undefined ? undefined : render(account));
  const strict: ReadingRules = { ...rules, unknownAttributes: "refuse" };
  const read = (resource: JsonObject): AccountDocument => {
    const document = readDocument({ ...resource, schemas: [coreURN] }, strict);
    checkDocument(document, accounts.exists);
    return document;
  };

  return {
    *accounts() {
      let seq = 0;
      for (;;) {
        const page = accounts.after(seq, 200);
        yield* page.map(render);
        const last = page.at(-1);
        if (last === undefined) return;
        seq = last.seq;
      }
    },
    get: (id) => rendered(accounts.get(id)),
    byUserName: (value) => rendered(accounts.find({ attribute: "userName", value })),
    byExternalId: (value) => rendered(accounts.find({ attribute: "externalId", value })),
    count: () => accounts.count(),
    create: (resource) => render(accounts.insert(read(resource))),
    edit: (id, changes) => {
      const account = accounts.get(id);
      if (account === undefined) throw new Error(`The sandbox's Lattice has no account with the id ${id}.`);
      const wanted = { ...account.document };
      for (const [name, value] of Object.entries(changes)) {
        const before = wanted[name];
        wanted[name] = isJsonObject(value) && isJsonObject(before) ? { ...before, ...value } : value;
      }
      return render(writer.change(account, read(wanted)));
    },
    remove: (id) => accounts.remove(id),
    invitations: () => writer.invitations,
  };
}
