import type { Notice } from "./notice.ts";

/** A page of the dashboard, and its purpose. */
export interface Link {
  readonly text: string;
  readonly url: string;
}

/** The place of the pages of a job. */
export interface PlaceOfPages {
  /** Origin under which browsers reach the dashboard (`http.publicUrl`). */
  readonly dashboard?: string | undefined;
  /** The job, if the configuration has `jobs`. */
  readonly job?: string | undefined;
}

/** The page that a message is about; `null` if there is none, or the dashboard's address is not configured. */
export function linkOf(event: Notice["event"], place: PlaceOfPages): Link | null {
  const root = rootOf(place);
  if (root === undefined) return null;
  const page = (path: string, text: string): Link => ({ text, url: `${root}${path}` });
  switch (event.kind) {
    case "guardHeld":
    case "canaryBegun":
    case "canaryFailed":
      return page(`plans/${encodeURIComponent(event.planId)}`, "Review, release or reject the held changes");
    case "canaryPassed":
      return event.sent
        ? page("", "Open the dashboard")
        : page(`plans/${encodeURIComponent(event.planId)}`, "Review, release or reject the held changes");
    case "failureDigest":
      return page("log?outcome=failed", "Everything that failed");
    case "quarantineEntered":
      return event.cycleId === undefined
        ? page("", "Open the dashboard")
        : page(`log?cycle=${event.cycleId}&outcome=failed`, "What failed in that cycle");
    case "guardCleared":
    case "heldDecided":
    case "quarantineLeft":
    case "noGoodCycle":
    case "goodCycleAgain":
    case "sendingPaused":
    case "sendingResumed":
    case "accountProtected":
    case "accountUnprotected":
    case "nobodysAccounts":
    case "accountLinked":
    case "accountUnlinked":
    case "test":
      return page("", "Open the dashboard");
    case "credentialExpiring":
      return null;
  }
}

/** A person's page; `undefined` if the dashboard's address is not configured. */
export function personUrl(objectId: string, place: PlaceOfPages): string | undefined {
  const root = rootOf(place);
  return root === undefined ? undefined : `${root}people/${encodeURIComponent(objectId)}`;
}

function rootOf({ dashboard, job }: PlaceOfPages): string | undefined {
  return dashboard === undefined ? undefined : `${dashboard}/#/${job === undefined ? "" : `jobs/${job}/`}`;
}
