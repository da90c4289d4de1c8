import { actorText } from "../domain/actor.ts";
import type { CredentialKind, FailingPerson, StateEvent } from "../domain/event.ts";
import { withoutQuotations } from "../domain/quotation.ts";
import { count, timeText } from "../domain/sentence.ts";
import { commandLine, placeFlags } from "../process/command-name.ts";
import { oneLine } from "./answer.ts";
import { canaryWords } from "./canary-words.ts";
import { type Link, linkOf, type PlaceOfPages, personUrl } from "./links.ts";
import type { Notice } from "./notice.ts";

/** An event in words, for people. Each text from outside is in one line, but not yet escaped for a receiver. */
export interface Message {
  readonly title: string;
  readonly severity: "problem" | "good" | "note";
  /** The event, in a sentence. */
  readonly text: string;
  readonly lists: readonly { readonly title: string; readonly lines: readonly Line[] }[];
  /** The steps to take; empty if there are none. */
  readonly action: string;
  /** The page of the dashboard that shows it; `null` if there is none. */
  readonly link: Link | null;
  /** ISO 8601. */
  readonly at: string;
  readonly instance: string;
}

/** A line of a list, with the page that shows more, if there is one. */
export interface Line {
  readonly text: string;
  readonly url?: string | undefined;
}

/** The form of a message for a receiver. */
export interface Wording extends PlaceOfPages {
  readonly instance: string;
  readonly people: "ids" | "names";
}

const longestLine = 300;
const mostLines = 20;

/** Describes an event in words. */
export function messageOf(notice: Notice, how: Wording): Message {
  const { instance, job } = how;
  return {
    ...wordsOf(shownEvent(notice.event, how.people), how),
    link: linkOf(notice.event, how),
    at: new Date(notice.at).toISOString(),
    instance: oneLine(job === undefined ? instance : `${instance}, job ${job}`),
  };
}

type Words = Omit<Message, "at" | "instance" | "link">;

function wordsOf(event: Notice["event"], how: Wording): Words {
  switch (event.kind) {
    case "guardHeld":
      return {
        title: `The guard holds ${count(event.operations, "change")}`,
        severity: "problem",
        text: `${event.operations === 1 ? "It waits" : "They wait"} for your decision. Everything else was sent. Plan ${event.planId}.`,
        lists: [
          ...listOf("Why", event.reasons.map(plain)),
          ...listOf("What it would cost in Lattice", (event.notes ?? []).map(plain)),
        ],
        action: `Check the changes with "${typed("status", how)}", then release or reject them: ${typed(`release ${event.planId}`, how)}`,
      };
    case "guardCleared":
      return {
        title: "The guard no longer holds anything",
        severity: "good",
        text: `What plan ${event.planId} held was released, rejected, or is no longer due.`,
        lists: [],
        action: "",
      };
    case "heldDecided":
      return decidedWords(event);
    case "quarantineEntered":
      return {
        title: "Quarantine: regular syncing is stopped",
        severity: "problem",
        text: oneLine(event.reason, 1000),
        lists: [],
        action: `Fix the cause and run "${typed("check", how)}". The next automatic attempt is at ${time(event.nextProbeAt)}; "${typed("sync", how)}" tries at once.`,
      };
    case "quarantineLeft":
      return {
        title: "The quarantine is over",
        severity: "good",
        text: `A cycle succeeded. The quarantine began at ${time(event.since)}.`,
        lists: [],
        action: "",
      };
    case "failureDigest":
      return digestWords(event, how);
    case "credentialExpiring":
      return credentialWords(event);
    case "noGoodCycle":
      return {
        title: "No cycle has succeeded for too long",
        severity: "problem",
        text: `The last successful cycle, or the start of watching, was at ${time(event.since)}.${event.lastError === null ? "" : ` The last error: ${oneLine(event.lastError, 1000)}`}`,
        lists: [],
        action: `Check "${typed("status", how)}" and the log, and run "${typed("check", how)}".`,
      };
    case "goodCycleAgain":
      return {
        title: "A cycle succeeded again",
        severity: "good",
        text: `No cycle had succeeded since ${time(event.since)}.`,
        lists: [],
        action: "",
      };
    case "sendingPaused":
      return {
        title: "Sending is paused",
        severity: "note",
        text: oneLine(
          `${actorText(event.by)} paused sending ${event.until === null ? "until it is resumed" : `until ${time(event.until)}`}. Cycles read and plan, and send nothing${event.leaversToo ? ", leavers included" : " except deactivations of people who are disabled or deleted"}. Reason: ${event.reason}`,
          1000,
        ),
        lists: [],
        action: `To go on: ${typed("resume", how)}`,
      };
    case "sendingResumed":
      return {
        title: "Sending goes on",
        severity: "good",
        text: oneLine(
          `${event.by === null ? "The pause ended by itself." : `${actorText(event.by)} resumed sending.`} It was paused since ${time(event.since)}.${event.reason === null ? "" : ` Reason: ${event.reason}`}`,
          1000,
        ),
        lists: [],
        action: "",
      };
    case "accountProtected":
      return {
        title: "A Lattice account is protected",
        severity: "note",
        text: oneLine(
          `${actorText(event.by)} protected the account ${accountName(event, how)}: nothing is sent to it. Reason: ${event.reason}`,
          1000,
        ),
        lists: [],
        action: "",
      };
    case "accountUnprotected":
      return {
        title: "A Lattice account is no longer protected",
        severity: "note",
        text: oneLine(
          `${actorText(event.by)} ended the protection of the account ${accountName(event, how)}, which was protected since ${time(event.since)}. Reason: ${event.reason}`,
          1000,
        ),
        lists: [],
        action: "",
      };
    case "accountLinked":
      return {
        title: "A person linked a user and a Lattice account",
        severity: "note",
        text: oneLine(
          `${actorText(event.by)} decided that the account ${event.latticeId} is ${event.objectId}'s: the next cycle links them. Reason: ${event.reason}`,
          1000,
        ),
        lists: [],
        action: "",
      };
    case "accountUnlinked":
      return {
        title: "A person unlinked a user and a Lattice account",
        severity: "note",
        text: oneLine(
          `${actorText(event.by)} decided that the account ${event.latticeId} is not ${event.objectId}'s: it stays as it is, and matching does not link them again. Reason: ${event.reason}`,
          1000,
        ),
        lists: [],
        action: "",
      };
    case "nobodysAccounts":
      return {
        title: `${count(event.count, "active Lattice account")} that ${event.count === 1 ? "is" : "are"} nobody's`,
        severity: "problem",
        text: "They have appeared since the last cycle, and no user of the directory has them. They are not written.",
        lists: listOf(
          "Accounts",
          event.accounts.map((one) => plain(accountName(one, how))),
          event.count,
        ),
        action: `Look at them with "${typed("accounts --kind nobodys --active", how)}"; link them, or deactivate them in Lattice.`,
      };
    case "canaryBegun":
    case "canaryPassed":
    case "canaryFailed":
      return canaryWords(event, (planId) => typed(`release ${planId}`, how), typed("status", how));
    case "test":
      return {
        title: "Test: this receiver works",
        severity: "note",
        text: `This is a test message, sent by "${typed("notify test", how)}". Nothing has happened.`,
        lists: [],
        action: "",
      };
  }
}

/** The command line that a person can type about the job. */
function typed(args: string, { job }: Wording): string {
  return commandLine(`${args}${placeFlags({ job })}`);
}

function decidedWords({
  planId,
  by,
  reason,
  released,
  rejected,
  undone,
}: Extract<StateEvent, { kind: "heldDecided" }>): Words {
  const parts = [
    ["Released", released],
    ["Rejected", rejected],
    ["Rejection undone", undone],
  ] as const;
  const done = parts
    .filter(([, number]) => number > 0)
    .map(([what, number]) => `${what}: ${count(number, "person", "people")}.`);
  return {
    title: "A person decided about changes that the guard holds",
    severity: "note",
    text: oneLine(
      `${actorText(by)} decided about plan ${planId}. ${done.join(" ")}${reason === null ? "" : ` Reason: ${reason}`}`,
      1000,
    ),
    lists: [],
    action: "",
  };
}

function digestWords(
  { began, recovered, passing, people: shown }: Extract<StateEvent, { kind: "failureDigest" }>,
  how: Wording,
): Words {
  const { people } = how;
  const parts = [
    [began, "person began to fail and is tried again.", "people began to fail and are tried again."],
    [recovered, "person no longer fails.", "people no longer fail."],
    [passing, "person failed for a while and recovered.", "people failed for a while and recovered."],
  ] as const;
  const line = (one: FailingPerson, text: string): Line => ({
    text,
    url: personUrl(one.objectId, how),
  });
  const failing = shown.began.map((one) => line(one, `${personName(one, people)}: ${reasonOf(one, people)}`));
  const recovering = shown.recovered.map((one) => line(one, personName(one, people)));
  return {
    title: "Failing people: changes since the last digest",
    severity: began > 0 ? "problem" : "good",
    text: parts.flatMap(([number, one, many]) => (number > 0 ? [count(number, one, many)] : [])).join(" "),
    lists: [
      ...listOf("Began to fail", failing, began),
      ...listOf("No longer failing (written, or no longer due)", recovering, recovered),
    ],
    action: began > 0 ? `See the full reasons with "${typed("status", how)}".` : "",
  };
}

function credentialWords({
  credential,
  name,
  expiresAt,
  expired,
}: Extract<StateEvent, { kind: "credentialExpiring" }>): Words {
  const { noun, action } = credentials[credential];
  return {
    title: expired ? `${noun} has expired` : `${noun} expires soon`,
    severity: "problem",
    text: `${oneLine(name)}: ${expired ? "expired" : "expires"} at ${time(expiresAt)}.`,
    lists: [],
    action,
  };
}

const credentials: Readonly<Record<CredentialKind, { readonly noun: string; readonly action: string }>> = {
  clientSecret: {
    noun: "Entra's client secret",
    action:
      "Create a new one in the app registration (Certificates & secrets) and set it as AZURE_CLIENT_SECRET.",
  },
  certificate: {
    noun: "Entra's client certificate",
    action:
      "Create a new one, upload it to the app registration, and replace the file that entra.certificate.path names.",
  },
  latticeToken: {
    noun: "Lattice's API key",
    action: "Ask a Lattice super admin to create a new one, and set it as LATTICE_API_KEY.",
  },
};

/** The event as a receiver may see it: with `ids`, without the words of Entra or Lattice about single people. */
export function shownEvent(event: Notice["event"], people: "ids" | "names"): Notice["event"] {
  if (people === "names") return event;
  switch (event.kind) {
    case "guardHeld": {
      const { reasons, notes } = event;
      return {
        ...event,
        reasons: reasons.map(withoutQuotations),
        ...(notes === undefined ? {} : { notes: notes.map(withoutQuotations) }),
      };
    }
    case "quarantineEntered":
      return { ...event, reason: withoutQuotations(event.reason) };
    case "noGoodCycle":
      return {
        ...event,
        lastError: event.lastError === null ? null : withoutQuotations(event.lastError),
      };
    default:
      return event;
  }
}

/** The meaning of each code, for receivers that must not see the sentence itself. */
const codeWords: Readonly<Record<string, string>> = {
  ALREADY_EXISTS: "another account has this user name or externalId",
  RECORD_REJECTED: "Lattice refused the change",
  RECORD_GONE: "the account no longer exists",
  RECORD_UNAVAILABLE: "Lattice kept failing for this person",
  UNKNOWN_OUTCOME: "no answer came; the program looks up what was done",
  MAPPING: "a value cannot be mapped",
};

/** Why a person fails: in full, or in words without the person's values. */
export function reasonOf({ code, message }: FailingPerson, people: "ids" | "names"): string {
  // Empty if the state keeps no values (`state.logValues`).
  return people === "names" && message !== "" ? oneLine(message, longestLine) : (codeWords[code] ?? code);
}

function personName({ objectId, userName }: FailingPerson, people: "ids" | "names"): string {
  return people === "names" && userName !== null ? oneLine(userName) : objectId;
}

function accountName(
  { latticeId, userName }: { readonly latticeId: string; readonly userName: string },
  { people }: Wording,
): string {
  return people === "names" ? `${latticeId} (${oneLine(userName)})` : latticeId;
}

/** @param total the number of all people, of which these are the first */
function listOf(title: string, lines: readonly Line[], total = lines.length): Message["lists"] {
  if (lines.length === 0) return [];
  const shown = lines.slice(0, mostLines).map((line) => ({ ...line, text: oneLine(line.text, longestLine) }));
  const more = total - shown.length;
  return [{ title, lines: more > 0 ? [...shown, plain(`and ${more.toLocaleString("en")} more`)] : shown }];
}

function plain(text: string): Line {
  return { text };
}

const time = timeText;
