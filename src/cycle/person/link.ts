import type { Actor } from "../../domain/actor.ts";
import { fitsAddress } from "../../domain/address.ts";
import { UsageError } from "../../domain/errors.ts";
import type { StateEvent } from "../../domain/event.ts";
import { type LinkDecision, linkDecisionText } from "../../domain/link-decision.ts";
import { quotation } from "../../domain/quotation.ts";
import type { SourceUser } from "../../domain/source.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { TargetUser } from "../../domain/target.ts";
import { visible } from "../../domain/visible.ts";
import { isProtected } from "../operations/protected-account.ts";
import { foldAccounts } from "../pictures/accounts.ts";
import { foldLink, foldUnlink } from "../pictures/fold-link-decision.ts";
import { withDecisions } from "../planning/decisions.ts";
import type { PlanSettings } from "../planning/plan-input.ts";
import type { Ports, Writing } from "../ports/ports.ts";

/** A person's wish to link a user to an account, or to end the link. */
export interface LinkOrder {
  /** User principal name or object id. */
  readonly user: string;
  readonly by: Actor;
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The user and the account that an order was about, and what has come of it. */
export interface LinkOutcome {
  readonly objectId: string;
  readonly latticeId: string;
  /** The result, in a sentence. */
  readonly text: string;
  /** The event that reports it; `null` if nothing has changed. */
  readonly event: StateEvent | null;
}

/** The parts that a decision needs. The caller holds the lease. */
export interface LinkPorts extends Writing, Pick<Ports, "target"> {
  readonly settings: PlanSettings;
  readonly signal: AbortSignal;
}

/**
 * Decides that an account is a user's. Lattice is asked for the account; nothing is sent. The next cycle links them.
 * @throws UsageError if one of them is not known or has another partner, or if the account is protected; what the target throws
 */
export async function linkAccount(
  ports: LinkPorts,
  { user, account: named, by, reason, at }: LinkOrder & { readonly account: string },
): Promise<LinkOutcome> {
  const { store, fence } = ports;
  const person = await personNamed(store, user);
  const { objectId } = person;
  const account = await accountInLattice(ports, named);
  const { latticeId, userName } = account;
  const outcome = { objectId, latticeId, event: null };
  const [owner, link] = await Promise.all([store.ownerOf(latticeId), store.linkOf(objectId)]);
  const settings = await withDecisions(ports.settings, store);
  if (owner === objectId) {
    return {
      ...outcome,
      text: `${nameOf(person)} is linked to ${accountName(account)} already. Nothing was changed.`,
    };
  }
  if (owner !== null) {
    const other = await store.findSource(owner);
    const whose = other === null ? owner : nameOf(other);
    throw new UsageError(
      `${accountName(account)} is linked to ${whose}: unlink it first if it is not theirs. Nothing was changed`,
    );
  }
  if (link !== null) {
    throw new UsageError(
      `${nameOf(person)} is linked to ${accountName(link)}: unlink it first if it is not theirs. Nothing was changed`,
    );
  }
  if (isProtected(account, settings)) {
    throw new UsageError(
      `${accountName(account)} is protected: it is not linked before it is unprotected. Nothing was changed`,
    );
  }
  const earlier = settings.linkDecisions.get(objectId) ?? [];
  const same = earlier.find((one) => one.latticeId === latticeId);
  const promised = settings.promised.get(latticeId);
  const others = promised === undefined || promised.objectId === objectId ? [] : [promised];
  for (const other of others) await refusePending(store, other, account);
  if (same?.what === "linked") {
    return {
      ...outcome,
      text: `${accountName(account)} was ${linkDecisionText(same)} to ${nameOf(person)} already. Nothing was changed.`,
    };
  }
  const decision: LinkDecision = { objectId, latticeId, what: "linked", userName, by, reason, at };
  const event = { kind: "accountLinked", objectId, latticeId, by, reason } as const;
  const rows = await store.accountRows({ latticeIds: [latticeId], objectIds: [] });
  const [last] = await store.recentCycles(1);
  const fold = foldAccounts({ rows }, last?.id ?? 0);
  fold.read(account);
  const { marks = [], ...read } = fold.change();
  const linked = foldLink(decision, [...earlier, ...others], event);
  await store.commit({ ...read, ...linked, marks: [...marks, ...(linked.marks ?? [])] }, fence);
  const text = `${accountName(account)} is ${nameOf(person)}'s by this decision.`;
  return { ...outcome, text, event };
}

/**
 * Decides that an account is not a user's. The link ends at once, and matching does not make it again. Nothing is sent to Lattice.
 * @throws UsageError if the user is not known, or has no account
 */
export async function unlinkAccount(
  { store, fence }: Writing,
  { user, by, reason, at }: LinkOrder,
): Promise<LinkOutcome> {
  const person = await personNamed(store, user);
  const { objectId } = person;
  const [row] = await store.accountRows({ latticeIds: [], objectIds: [objectId] });
  const decisions = (await store.linkDecisions()).filter((one) => one.objectId === objectId);
  const pending = decisions.find(({ what }) => what === "linked");
  if (row === undefined && pending === undefined) {
    throw new UsageError(`${nameOf(person)} is not linked to a Lattice account. Nothing was changed`);
  }
  const account = row ?? { latticeId: pending?.latticeId ?? "", userName: pending?.userName ?? "" };
  const { latticeId, userName } = account;
  const decision: LinkDecision = { objectId, latticeId, what: "unlinked", userName, by, reason, at };
  const event = { kind: "accountUnlinked", objectId, latticeId, by, reason } as const;
  const change = row === undefined ? { ...foldLink(decision, [], event) } : foldUnlink(decision, row, event);
  const superseded = decisions.filter((one) => one.what === "linked" && one.latticeId !== latticeId);
  await store.commit({ ...change, linkDecisions: { ...change.linkDecisions, drop: superseded } }, fence);
  return {
    objectId,
    latticeId,
    text: `${accountName(account)} is no longer ${nameOf(person)}'s: it stays as it is in Lattice, and matching does not link them again.`,
    event,
  };
}

/** @throws UsageError if the next cycle is to link the account to another user, by an earlier decision */
async function refusePending(
  store: StateStore,
  decision: LinkDecision,
  account: Pick<TargetUser, "latticeId" | "userName">,
): Promise<void> {
  const other = await store.findSource(decision.objectId);
  if (other === null || (await store.linkOf(decision.objectId)) !== null) return;
  throw new UsageError(
    `${accountName(account)} was ${linkDecisionText(decision)} to ${nameOf(other)}: unlink them first if it is not theirs. Nothing was changed`,
  );
}

/** @throws UsageError if the directory has no such user */
async function personNamed(store: StateStore, named: string): Promise<SourceUser> {
  const found = (await store.findSource(named)) ?? (await store.findSource(named.toLowerCase()));
  if (found !== null) return found;
  throw new UsageError(
    `the last known data of Entra has no user with the name or object id ${quotation(visible(named))}. Nothing was changed`,
  );
}

/**
 * The account as Lattice has it now, by id, else by userName.
 * @throws UsageError if Lattice has none, or several; what the target throws
 */
async function accountInLattice(
  { store, target, signal }: Pick<LinkPorts, "store" | "target" | "signal">,
  named: string,
): Promise<TargetUser> {
  const known = await store.accountOf(named);
  const mayBeId = fitsAddress(named) && (known !== null || !named.includes("@"));
  const byId = mayBeId ? await target.get(named, signal) : null;
  if (byId !== null) return byId;
  const found = known === null && named !== "" ? await target.find("userName", named, signal) : [];
  const [first, ...others] = found;
  if (others.length > 0) {
    const ids = found.map(({ latticeId }) => latticeId).join(", ");
    throw new UsageError(
      `several Lattice accounts have the userName ${quotation(visible(named))}: give the Lattice id (${ids}). Nothing was changed`,
    );
  }
  if (first !== undefined) return first;
  throw new UsageError(
    `Lattice has no account with the id or userName ${quotation(visible(named))}. Nothing was changed`,
  );
}

function nameOf({ objectId, attributes }: SourceUser): string {
  const name = attributes.userPrincipalName;
  return typeof name === "string" ? `${visible(name)} (${objectId})` : objectId;
}

function accountName({ latticeId, userName }: Pick<TargetUser, "latticeId" | "userName">): string {
  return `the Lattice account ${visible(latticeId)} (${visible(userName)})`;
}
