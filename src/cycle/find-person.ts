import type { LinkedTarget, StateStore } from "../domain/store.ts";

/** Whom the pictures have under a name or an id. */
export interface Found {
  readonly asked: string;
  /** The person in Entra's picture. */
  readonly objectId: string | null;
  /** The account that was found by itself, where nobody in Entra's picture is behind it. */
  readonly account: LinkedTarget | null;
}

/**
 * Looks for a person as people name one: by user principal name or object id, by the userName that the mapping gives, by
 * the id or the userName of an account in Lattice. Letter case does not matter in names.
 */
export async function findPerson(store: StateStore, asked: string): Promise<Found> {
  const wanted = asked.trim();
  const source = (await store.findSource(wanted)) ?? (await store.findSource(wanted.toLowerCase()));
  if (source !== null) return { asked, objectId: source.objectId, account: null };

  const account = await findAccount(store, wanted);
  const owner = account === null ? null : await store.ownerOf(account.latticeId);
  if (owner !== null && (await store.findSource(owner)) !== null) {
    return { asked, objectId: owner, account: null };
  }
  const key = wanted.toLowerCase();
  const mapped = (await store.sharing([key], true)).get(key) ?? [];
  return { asked, objectId: mapped[0] ?? null, account };
}

async function findAccount(store: StateStore, wanted: string): Promise<LinkedTarget | null> {
  const byId = await store.accountOf(wanted);
  if (byId !== null) return byId;
  const answers = await store.matches([{ objectId: "", userName: wanted, externalId: wanted, lost: [] }]);
  const { byUserName = [], byExternalId = [] } = answers.get("") ?? {};
  return byUserName[0] ?? byExternalId[0] ?? null;
}
