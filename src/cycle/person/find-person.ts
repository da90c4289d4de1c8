import type { FoundPerson } from "../../domain/person-search.ts";
import type { LinkedTarget } from "../../domain/state/account.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { concealedBy } from "../../mapping/rules/concealed.ts";
import type { Mapping } from "../../mapping/rules/mapping.ts";
import { sharersOf } from "../planning/namesakes.ts";

/** At most this many candidates are listed; the others are counted. */
const listed = 20;

/** The person that a name, an id or part of a name refers to. */
export interface Found {
  readonly asked: string;
  /** The person in Entra's last known data, or one whom only the log knows. */
  readonly objectId: string | null;
  /** The account that was found by itself, if no known person in Entra has it. */
  readonly account: LinkedTarget | null;
  /** Matches for a part of a name; `null` if the text was a whole user name or id. */
  readonly byPart: FoundPerson | null;
  /** If several people match: the closest of them. Empty if exactly one or none was found. */
  readonly candidates: readonly FoundPerson[];
  /** The number of further matches. */
  readonly moreCandidates: number;
}

/**
 * Finds a person by user principal name or object id, by the userName that the mapping gives, or by the id or userName of
 * an account in Lattice. If none of these equals the whole text, it searches for the text as part of a name. Letter case
 * does not matter in names.
 * @param mapping values that it redacts are not searched
 * @param how `alone`, for commands that write: no person is found if another one has the same externalId or, in a search by
 * part of a name, matches too
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
  // A whole name in the log is not searched as part of other names.
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

/** The people who have this as a whole name or id. */
export async function findExactly(
  store: StateStore,
  asked: string,
): Promise<Pick<Found, "objectId" | "account">> {
  const wanted = asked.trim();
  const source = (await store.findSource(wanted)) ?? (await store.findSource(wanted.toLowerCase()));
  if (source !== null) return { objectId: source.objectId, account: null };

  const account = await accountNamed(store, wanted);
  const owner = account === null ? null : await store.ownerOf(account.latticeId);
  if (owner !== null && (await store.findSource(owner)) !== null) return { objectId: owner, account: null };
  const key = wanted.toLowerCase();
  const mapped = (await sharersOf(store, [key], true)).get(key) ?? [];
  return { objectId: mapped[0] ?? null, account };
}

/**
 * `true` if several people have this as a whole name or externalId, unless it is an object id, a user principal name or a
 * Lattice id.
 */
async function isShared(store: StateStore, asked: string): Promise<boolean> {
  const wanted = asked.trim();
  const key = wanted.toLowerCase();
  if ((await store.findSource(wanted)) ?? (await store.findSource(key)) ?? (await store.accountOf(wanted))) {
    return false;
  }
  const { byUserName, byExternalId } = await accountsWith(store, wanted);
  const accounts = new Set([...byUserName, ...byExternalId].map(({ latticeId }) => latticeId));
  return accounts.size > 1 || ((await sharersOf(store, [key], true)).get(key) ?? []).length > 1;
}

async function accountsWith(store: StateStore, wanted: string) {
  const answers = await store.matches([{ objectId: "", userName: wanted, externalId: wanted, lost: [] }]);
  const { byUserName = [], byExternalId = [] } = answers.get("") ?? {};
  return { byUserName, byExternalId };
}

async function accountNamed(store: StateStore, wanted: string): Promise<LinkedTarget | null> {
  const byId = await store.accountOf(wanted);
  if (byId !== null) return byId;
  const { byUserName, byExternalId } = await accountsWith(store, wanted);
  return byUserName[0] ?? byExternalId[0] ?? null;
}

/** `true` if a text can be a user principal name or an object id, and so can be sent to Entra. */
export function isIdentifier(text: string): boolean {
  return text.includes("@") || /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i.test(text.trim());
}
