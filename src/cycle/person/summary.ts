import type { Action } from "../../domain/plan.ts";
import { count, sentence, timeText } from "../../domain/sentence.ts";
import { attributeList } from "../operations/attribute-list.ts";
import type { Explanation, PlanExplanation, ScopeExplanation } from "./explanation.ts";

const verbs: { readonly [A in Action]: string } = {
  create: "creates an account",
  update: "updates the account",
  deactivate: "deactivates the account",
  reactivate: "reactivates the account",
  link: "links the existing account",
};

/** The first things to know about a person, in whole sentences. */
export function sentencesOf(explanation: Omit<Explanation, "summary">): readonly string[] {
  return [...who(explanation), ...what(explanation), ...howSure(explanation)];
}

function who(explanation: Omit<Explanation, "summary">): readonly string[] {
  const { found, asked, account, source, pictures, history } = explanation;
  const where = pictures.live ? "" : " in the last known data; use --live to ask Entra and Lattice now";
  switch (found) {
    case "nobody": {
      const number = explanation.candidates.length + explanation.moreCandidates;
      if (number > 0) {
        return [
          `"${asked}" matches ${number.toLocaleString("en")} people: choose one by user principal name or object id.`,
        ];
      }
      if (history.length > 0) {
        return [`"${asked}" is only in the provisioning log, neither in Entra nor in Lattice${where}.`];
      }
      return [
        `"${asked}" is neither in Entra nor in Lattice${where}.`,
        "You can search for a part of a name or e-mail address, a user principal name, an object id, a Lattice id, or a userName in Lattice.",
      ];
    }
    case "lattice":
      if (account !== null && account.linkedTo !== null) {
        return [`This account is linked to ${account.linkedTo}, a person who is no longer in Entra.`];
      }
      return [
        "This account is not linked to a person. It is not changed, and is linked as soon as a person in scope matches it.",
        ...(account?.namesakes ?? []).map(
          (objectId) =>
            `In Entra the person ${objectId} maps to this userName: look up that id to see why it does not match.`,
        ),
      ];
    default:
      return source?.presence === "present"
        ? []
        : [
            source?.presence === "softDeleted"
              ? "The person is in Entra's recycle bin."
              : "The person was permanently deleted in Entra.",
          ];
  }
}

function what(explanation: Omit<Explanation, "summary">): readonly string[] {
  const { decision, scope, standing } = explanation;
  if (decision === null) return [];
  const sentences = [nextCycle(decision)];
  if (scope !== null && !scope.inScope) sentences.push(...whyOut(scope));
  if (decision.waitsForManager) {
    sentences.push("The manager has no account yet; the manager is set as soon as there is one.");
  }
  if (decision.deferred !== null) {
    const { action, changes } = decision.deferred;
    sentences.push(`Due, but delayed: ${action} (${attributeList(changes)}).`);
  }
  if (decision.reported !== null) {
    sentences.push("The account was edited by hand in Lattice; this is only reported.");
  }
  if (standing === null) return sentences;
  const { retry, heldBy, rejected, putBack, released, accountMissingSince, lostLinks } = standing;
  if (putBack !== null) sentences.push(`Postponed by the last cycle: ${putBack}`);
  if (retry !== null) {
    const tries = count(retry.attempts, "time");
    sentences.push(
      `Waiting for a retry: failed ${tries} since ${timeText(retry.firstFailedAt)}. ${sentence(retry.message)} Next try: ${timeText(retry.nextTryAt)}; sync --user tries at once.`,
    );
  }
  if (heldBy !== null) {
    sentences.push(
      `Held by the guard in plan ${heldBy.planId}: ${attributeList(heldBy.changes)}. ${sentence(heldBy.reasons.join("; "))}`,
    );
  }
  for (const { what: change, rejectedAt, planId, by, reason } of rejected) {
    const who = by === undefined ? "" : ` by ${by}`;
    const why = reason === undefined ? "" : ` (${reason})`;
    sentences.push(
      `Rejected: ${change} was rejected on ${timeText(rejectedAt)}${who}${why}. It is not sent unless the person changes in Entra. To undo: release ${planId} --undo-reject ${nameFor(explanation)}.`,
    );
  }
  if (accountMissingSince !== null) {
    sentences.push(
      `Lattice has not had the linked account since ${timeText(accountMissingSince)}; the link is kept.`,
    );
  }
  for (const { latticeId, missingSince, dissolvedAt, reason } of lostLinks) {
    sentences.push(
      `The link to the account ${latticeId} was removed on ${timeText(dissolvedAt)} (account first missing on ${timeText(missingSince)}): ${sentence(reason)} If the account appears again, it is linked again.`,
    );
  }
  if (released.length > 0) sentences.push("A held change was released; the next cycle sends it.");
  return sentences;
}

/** The person as named in the request, if a command that changes something accepts that; else the object id. */
function nameFor({ asked, source }: Omit<Explanation, "summary">): string {
  if (source === null) return asked;
  const whole = [source.objectId, source.userPrincipalName].some(
    (name) => name?.toLowerCase() === asked.trim().toLowerCase(),
  );
  return whole ? asked.trim() : source.objectId;
}

function nextCycle({ kind, action, reason, code, changes, waitsForManager }: PlanExplanation): string {
  if (kind === "operation" && waitsForManager && action === "update" && changes.length === 1) {
    return `Nothing can be sent yet: ${sentence(reason)}`;
  }
  if (kind === "operation" && action !== null) return `The next cycle ${verbs[action]}: ${sentence(reason)}`;
  if (kind === "skipped") return `The next cycle skips this person (${code}): ${sentence(reason)}`;
  return `Nothing is due: ${sentence(reason)}`;
}

function whyOut({ member, mode, configured, rejection }: ScopeExplanation): readonly string[] {
  const sentences: string[] = [];
  if (!member) {
    sentences.push(
      mode === "assigned"
        ? `Not in scope: not assigned to the application "${configured.join(", ")}".`
        : `Not in scope: not a member of ${configured.map((name) => `"${name}"`).join(", ")}.`,
    );
  }
  if (rejection !== null) sentences.push(`Not in scope: ${sentence(rejection)}`);
  return sentences;
}

function howSure({ pictures, found }: Omit<Explanation, "summary">): readonly string[] {
  const sentences: string[] = [];
  if (pictures.configurationChanged && found !== "nobody") {
    sentences.push(
      "The configuration has changed since the last cycle; this shows its effect now. Attributes and groups that were not read before are shown only with --live.",
    );
  }
  return sentences;
}
