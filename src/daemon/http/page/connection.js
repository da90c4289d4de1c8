import { h, say } from "./dom.js";

/** The waits between tries: short at first, because a restart takes seconds. */
const waitsMs = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000];

/** Says that the daemon does not answer, and calls `tryAgain` until `back` or `forget` is called. */
export function createConnection(tryAgain) {
  let failures = 0;
  let timer;
  const banner = () => document.getElementById("banner");
  const retry = () => {
    clearTimeout(timer);
    tryAgain();
  };
  const forget = () => {
    clearTimeout(timer);
    failures = 0;
    banner().replaceChildren();
  };
  return {
    get lost() {
      return failures > 0;
    },
    /** @param reason why the last try failed, one sentence */
    failed(reason) {
      clearTimeout(timer);
      if (failures === 0) {
        banner().replaceChildren(
          h(
            "div",
            { class: "notice warn banner row" },
            h(
              "p",
              { role: "alert" },
              `${reason} The data shown may be old. This page tries again until there is an answer.`,
            ),
            h("button", { type: "button", onclick: retry }, "Try now"),
          ),
        );
      }
      timer = setTimeout(tryAgain, waitsMs[Math.min(failures, waitsMs.length - 1)]);
      failures += 1;
    },
    back() {
      if (failures > 0) say("The daemon answers again.");
      forget();
    },
    forget,
  };
}

/** `true` if the daemon that answers now has another version of the page: it was updated in the meantime. */
export async function isOutdated() {
  try {
    const answer = await fetch("/", { cache: "no-store", credentials: "same-origin" });
    const page = await answer.text();
    return answer.ok && page.includes("/assets/") && !page.includes(new URL(".", import.meta.url).pathname);
  } catch {
    // The daemon stopped answering again. The next read of the view reports that.
    return false;
  }
}
