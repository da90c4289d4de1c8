import type { Notice } from "./notice.ts";

/** A page of the dashboard, and its purpose. */
export interface Link {
  readonly text: string;
  readonly url: string;
}

/**
 * The page that a message is about; `null` if there is none, or the dashboard's address is not configured.
 * @param dashboard origin under which browsers reach it (`http.publicUrl`)
 */
export function linkOf(event: Notice["event"], dashboard: string | undefined): Link | null {
  if (dashboard === undefined) return null;
  const page = (path: string, text: string): Link => ({ text, url: `${dashboard}/#/${path}` });
  switch (event.kind) {
    case "guardHeld":
      return page(`plans/${encodeURIComponent(event.planId)}`, "Review, release or reject the held changes");
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
    case "test":
      return page("", "Open the dashboard");
    case "credentialExpiring":
      return null;
  }
}

/** A person's page; `undefined` if the dashboard's address is not configured. */
export function personUrl(objectId: string, dashboard: string | undefined): string | undefined {
  return dashboard === undefined ? undefined : `${dashboard}/#/people/${encodeURIComponent(objectId)}`;
}
