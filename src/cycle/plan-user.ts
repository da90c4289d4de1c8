import { type Json, jsonEquals } from "../domain/json.ts";
import type { Action, Change, Evidence, Operation, SkipCode } from "../domain/plan.ts";
import type { SourceUser } from "../domain/source.ts";
import type { Candidate, Decision, LinkedTarget, MatchAnswer, MatchedTarget } from "../domain/store.ts";
import type { MappedUser } from "../mapping/map-user.ts";
import { shortPath } from "../mapping/target-attributes.ts";
import type { CycleSettings } from "./settings.ts";

/** Everything known of one person when the plan is made. */
export interface PlanInput {
  readonly candidate: Candidate;
  readonly mapped: MappedUser;
  /** Lattice accounts that could be this person's; asked for where there is no link. */
  readonly matches: MatchAnswer | null;
  /** Other people who map to the same userName. */
  readonly sharedWith: readonly string[];
  /** User name of the manager that the account points to now. */
  readonly currentManagerName: string | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

type Settings = Pick<CycleSettings, "mapping" | "actions" | "adoptForeignExternalId">;

/**
 * Decides what one person needs: a pure function of both pictures and the configuration. Dry run and sync share it.
 */
export function planUser(input: PlanInput, settings: Settings): Decision {
  const { candidate, mapped } = input;
  const { retry, link } = candidate;
  if (retry !== null && retry.nextTryAt > input.now) {
    return skip(
      input,
      "waitingForRetry",
      `${retry.message}; next try ${new Date(retry.nextTryAt).toISOString()}`,
    );
  }
  const inScope = candidate.source.presence === "present" && candidate.member && mapped.filteredOut === null;
  if (link !== null) return inScope ? planLinked(input, link, settings) : planLeaver(input, link, settings);
  return inScope ? planUnlinked(input, settings) : { kind: "ignored", objectId: candidate.source.objectId };
}

/** A linked person who is gone or out of scope: only `active` is touched. */
function planLeaver(input: PlanInput, link: LinkedTarget, settings: Settings): Decision {
  if (input.mapped.active !== false || !link.active) return unchanged(input);
  return deactivation(input, link, settings, [activeChange(link, false)], false);
}

function planLinked(input: PlanInput, link: LinkedTarget, settings: Settings): Decision {
  const blocked = nameFault(input);
  if (blocked !== null) {
    // A name that cannot be sent must not keep a leaver's account alive.
    if (input.mapped.active === false && link.active) {
      return deactivation(input, link, settings, [activeChange(link, false)], false);
    }
    return blocked;
  }
  return planChanges(input, link, settings, false, null);
}

function planUnlinked(input: PlanInput, settings: Settings): Decision {
  const blocked = nameFault(input);
  if (blocked !== null) return blocked;
  const match = findMatch(input, settings);
  if ("decision" in match) return match.decision;
  if (match.account !== null) return planChanges(input, match.account, settings, true, match.by);
  // Whatever `active` is mapped to, or whether it is mapped at all.
  if (input.mapped.active === false || input.candidate.source.attributes.accountEnabled === false) {
    return skip(input, "disabled", "the account is disabled in Entra; a disabled person is never created");
  }
  if (!settings.actions.create) return skip(input, "actionOff", "actions.create is off");
  return {
    kind: "operation",
    operation: operation(input, {
      action: "create",
      latticeId: null,
      reason: "new in scope",
      changes: createChanges(input),
      adopts: false,
    }),
    referencePending: false,
  };
}

/** Changes to an account that is linked, or (`adopts`) about to be. */
function planChanges(
  input: PlanInput,
  link: LinkedTarget,
  settings: Settings,
  adopts: boolean,
  matchedBy: string | null,
): Decision {
  const attributeChanges = settings.actions.update ? changedAttributes(input, link, adopts) : [];
  const { active } = input.mapped;
  if (active === false && link.active && evidenceOf(input) !== null) {
    return deactivation(input, link, settings, [activeChange(link, false), ...attributeChanges], adopts);
  }
  const reactivates = active === true && !link.active;
  if (reactivates && !settings.actions.create) {
    return skip(input, "actionOff", "actions.create is off, which covers reactivation");
  }
  const changes = reactivates ? [activeChange(link, true), ...attributeChanges] : attributeChanges;
  if (changes.length === 0 && !adopts) return unchanged(input);
  const action: Action = reactivates ? "reactivate" : adopts ? "link" : "update";
  const reason = reactivates
    ? adopts
      ? `existing inactive account with the same ${matchedBy}`
      : "enabled and in scope again"
    : adopts
      ? `existing account with the same ${matchedBy}`
      : `${attributeList(changes)} changed`;
  return {
    kind: "operation",
    operation: operation(input, { action, latticeId: link.latticeId, reason, changes, adopts }),
    referencePending: false,
  };
}

function deactivation(
  input: PlanInput,
  link: LinkedTarget,
  settings: Settings,
  changes: readonly Change[],
  adopts: boolean,
): Decision {
  const evidence = evidenceOf(input);
  if (evidence === null) return unchanged(input);
  if (!settings.actions.deactivate)
    return skip(input, "actionOff", `${evidence.detail}, but actions.deactivate is off`);
  return {
    kind: "operation",
    operation: {
      ...operation(input, {
        action: "deactivate",
        latticeId: link.latticeId,
        reason: evidence.detail,
        changes,
        adopts,
      }),
      evidence,
    },
    referencePending: false,
  };
}

/** What was seen that allows an account to be switched off; `null` where nothing was. */
function evidenceOf({ candidate, mapped }: PlanInput): Evidence | null {
  const { presence, attributes } = candidate.source;
  if (presence === "softDeleted") return { kind: "softDeleted", detail: "deleted in Entra (recycle bin)" };
  if (presence === "deleted") return { kind: "deleted", detail: "deleted in Entra for good" };
  if (!candidate.member)
    return {
      kind: "leftScope",
      detail: "no longer assigned: the scope was read to its end without this person",
    };
  if (mapped.filteredOut !== null)
    return { kind: "filteredOut", detail: `fails the scoping filter: ${mapped.filteredOut}` };
  if (attributes.accountEnabled === false)
    return { kind: "accountDisabled", detail: "account disabled in Entra" };
  return null;
}

/** A userName that no account can have: not an address, or somebody else's too. */
function nameFault(input: PlanInput): Decision | null {
  const { userName } = input.mapped;
  if (userName === null)
    return skip(input, "invalidUserName", "the mapped userName is empty; Lattice needs an e-mail address");
  if (!isEmailAddress(userName)) {
    return skip(
      input,
      "invalidUserName",
      `the mapped userName "${userName}" is no valid e-mail address, which Lattice requires`,
    );
  }
  if (input.sharedWith.length > 0) {
    return skip(
      input,
      "duplicateUserName",
      `the mapped userName "${userName}" is also that of ${input.sharedWith.join(", ")}; make it unique in Entra`,
    );
  }
  return null;
}

/** Deliberately plain: one @, no blanks or control characters, a dot in the domain (RFC 5321 leaves more to the server). */
function isEmailAddress(text: string): boolean {
  return (
    text.length <= 254 && !/[\s\p{Cc}"(),:;<>[\\\]]/u.test(text) && /^[^@]+@[^@.]+(\.[^@.]+)+$/.test(text)
  );
}

type Match =
  | { readonly account: MatchedTarget | null; readonly by: string | null }
  | { readonly decision: Decision };

/** Tries the matching attributes in their order; the first that finds an account decides. */
function findMatch(input: PlanInput, settings: Settings): Match {
  const { matches, mapped, candidate } = input;
  if (matches === null) return { account: null, by: null };
  for (const attribute of settings.mapping.matching) {
    const found = attribute === "userName" ? matches.byUserName : matches.byExternalId;
    if (found.length > 1) {
      const ids = found.map((account) => account.latticeId).join(", ");
      return {
        decision: skip(input, "ambiguousMatch", `several Lattice accounts have this ${attribute}: ${ids}`),
      };
    }
    const account = found[0];
    if (account === undefined) continue;
    const owner = account.linkedTo;
    if (owner !== null && owner !== candidate.source.objectId) {
      return {
        decision: skip(
          input,
          "linkedToAnother",
          `the Lattice account ${account.latticeId} with this ${attribute} belongs to the person ${owner}`,
        ),
      };
    }
    const foreign =
      account.externalId !== null && account.externalId !== "" && account.externalId !== mapped.externalId;
    if (foreign && mapped.externalId !== null && !settings.adoptForeignExternalId) {
      return {
        decision: skip(
          input,
          "externalIdConflict",
          `the Lattice account ${account.latticeId} with this ${attribute} has the external id "${account.externalId}" of somebody else or of a former system; correct it in Lattice`,
        ),
      };
    }
    return { account, by: attribute };
  }
  return { account: null, by: null };
}

function createChanges(input: PlanInput): Change[] {
  const changes = input.mapped.values.flatMap(({ mapping, value }): Change[] => {
    const after = value ?? mapping.defaultValue;
    return after === null ? [] : [{ attribute: mapping.target, before: null, after }];
  });
  const reference = referenceChange(input, null);
  return reference === null ? changes : [...changes, reference];
}

function changedAttributes(input: PlanInput, link: LinkedTarget, adopts: boolean): Change[] {
  const changes: Change[] = [];
  for (const { mapping, value } of input.mapped.values) {
    if (mapping.target === "active") continue;
    const before = heldValue(link, mapping.target);
    // Lattice takes an externalId once: an account that has none gets it when it is adopted.
    const firstExternalId = adopts && mapping.target === "externalId" && before === null;
    if (mapping.apply === "onCreate" && !firstExternalId) continue;
    if (value === null && mapping.onNull === "keep") continue;
    // The default of the create stands until the source has a value.
    if (value === null && before !== null && jsonEquals(before, mapping.defaultValue)) continue;
    if (!holds(link, mapping.target, value))
      changes.push({ attribute: mapping.target, before, after: value });
  }
  const reference = referenceChange(input, link);
  if (reference !== null) changes.push(reference);
  return changes;
}

/** The change of manager, if one is due. A manager without an account yet is planned for; the plan withdraws what stays open. */
function referenceChange(input: PlanInput, link: LinkedTarget | null): Change | null {
  const { reference } = input.mapped;
  if (reference === null || (link !== null && reference.apply === "onCreate")) return null;
  const { manager } = input.candidate;
  const current = link === null ? null : heldValue(link, reference.target);
  const beforeId = typeof current === "string" ? current : null;
  const before = beforeId === null ? null : (input.currentManagerName ?? beforeId);
  // A disabled manager stays the manager; a deleted one is cleared.
  const gone = manager === null || manager.presence === "softDeleted" || manager.presence === "deleted";
  if (gone) {
    if (
      beforeId === null ||
      reference.onNull === "keep" ||
      link === null ||
      holds(link, reference.target, null)
    )
      return null;
    return { attribute: reference.target, before, after: null, reference: { beforeId, afterObjectId: null } };
  }
  if (link !== null && manager.latticeId !== null && holds(link, reference.target, manager.latticeId))
    return null;
  return {
    attribute: reference.target,
    before,
    after: manager.userName ?? manager.objectId,
    reference: { beforeId, afterObjectId: manager.objectId },
  };
}

/** Whether the account holds the value, or has accepted it and keeps it in a form of its own. */
function holds(link: LinkedTarget, path: string, wanted: Json): boolean {
  const current = heldValue(link, path);
  if (jsonEquals(current, wanted)) return true;
  const acknowledged = Object.hasOwn(link.acknowledged, path) ? link.acknowledged[path] : undefined;
  return (
    acknowledged !== undefined &&
    jsonEquals(acknowledged.sent, wanted) &&
    jsonEquals(acknowledged.observed, current)
  );
}

export function heldValue(link: LinkedTarget, path: string): Json {
  if (path === "userName") return link.userName;
  if (path === "externalId") return link.externalId;
  if (path === "active") return link.active;
  return Object.hasOwn(link.values, path) ? (link.values[path] ?? null) : null;
}

function activeChange(link: LinkedTarget, after: boolean): Change {
  return { attribute: "active", before: link.active, after };
}

/** `title`, `title and department`, `title, department and 3 more`. */
export function attributeList(changes: readonly Change[]): string {
  const names = changes.map((change) => shortPath(change.attribute));
  if (names.length <= 2) return names.join(" and ");
  if (names.length === 3) return `${names[0]}, ${names[1]} and ${names[2]}`;
  return `${names[0]}, ${names[1]} and ${names.length - 2} more`;
}

function operation(
  input: PlanInput,
  parts: Pick<Operation, "action" | "latticeId" | "reason" | "changes" | "adopts">,
): Operation {
  return { objectId: input.candidate.source.objectId, userName: nameOf(input), evidence: null, ...parts };
}

function unchanged(input: PlanInput): Decision {
  return { kind: "unchanged", objectId: input.candidate.source.objectId, referencePending: false };
}

function skip(input: PlanInput, code: SkipCode, reason: string): Decision {
  const { objectId } = input.candidate.source;
  return {
    kind: "skipped",
    skipped: { objectId, userName: nameOf(input), code, reason },
    referencePending: false,
  };
}

function nameOf({ mapped, candidate }: PlanInput): string {
  return (
    mapped.userName ?? sourceName(candidate.source) ?? candidate.link?.userName ?? candidate.source.objectId
  );
}

function sourceName(source: SourceUser): string | null {
  const name = source.attributes.userPrincipalName;
  return typeof name === "string" ? name : null;
}
