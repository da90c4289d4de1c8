import { api } from "./api.js";
import { h, table } from "./dom.js";
import { pageAddress } from "./job.js";
import { stateCard } from "./now-state.js";
import { skippedPart } from "./skipped.js";
import { follow } from "./watch.js";
import { count, duration, moment, number, outcomeTag, personLink, standingAside } from "./words.js";
import { workCard } from "./work-card.js";

/** The current state, and the actions that can be started. The view refreshes itself. */
export const nowView = {
  everyMs: 15_000,
  read: async (visit) => {
    const now = await api("now", { signal: visit.signal });
    visit.state.work = runningWork(now) ?? null;
    if (visit.state.work !== null) follow(visit, visit.state.work.id);
    return now;
  },
  draw: (now, visit) => {
    const { state } = visit;
    const running = runningWork(now);
    const work = state.work ?? now.works.find(({ trigger }) => trigger === "hand");
    // A cause that stops all sending is shown at the top.
    const said = work?.error !== null && work?.error === now.quarantine?.reason;
    return [
      stateCard(now, running, visit),
      h(
        "div",
        { role: "alert", "data-key": "problem" },
        state.problem ? h("div", { class: "notice bad" }, state.problem) : null,
      ),
      work === undefined || said ? null : workCard(work),
      standingAsidePart(now),
      newConfiguration(now.newConfiguration),
      held(now.guard),
      notes(now.lastCycle),
      ...now.refusedKinds.map(({ message }) =>
        h("section", { class: "notice warn", "data-key": `kind-${message}` }, h("p", null, message)),
      ),
      figures(now),
      failing(now.retries),
      rejectedByHand(now.rejected),
      skippedPart(now.leftAlone, visit),
      cycles(now.cycles),
      lastLeavers(now.lastLeavers),
      h(
        "p",
        { class: "quiet small" },
        `Version ${now.version}. `,
        now.workers?.length > 0 ? `Workers: ${now.workers.join(", ")}. ` : null,
        "As of ",
        moment(now.now, { away: false }),
        ".",
      ),
    ];
  },
};

function runningWork(now) {
  return now.works.find(({ finishedAt }) => finishedAt === null);
}

/** The daemons that do not take the job. A daemon of an older version does not list them. */
function standingAsidePart({ aside = [] }) {
  if (aside.length === 0) return null;
  return h("section", { class: "notice warn", "data-key": "aside" }, ...standingAside(aside));
}

/** The changes of a configuration with which no cycle has run yet. */
function newConfiguration(changes) {
  if (changes === null) return null;
  return h(
    "section",
    { class: "notice warn", "data-key": "new-configuration" },
    h("h2", null, "The configuration is not that of the last cycle"),
    ...changes.text.split("\n").map((line) => h("p", null, line)),
  );
}

function notes(lastCycle) {
  const sentences = lastCycle?.notes ?? [];
  if (sentences.length === 0) return null;
  return h(
    "div",
    { class: "notice", "data-key": "notes" },
    h(
      "ul",
      null,
      sentences.map((sentence) => h("li", null, sentence)),
    ),
  );
}

function held(guard) {
  if (!guard.held) return null;
  return h(
    "section",
    { class: "notice warn", "data-key": "held" },
    h("h2", null, `The guard holds ${count(guard.heldOperations, "change")}, waiting for your decision`),
    h(
      "ul",
      null,
      [...guard.reasons, ...guard.notes].map((line) => h("li", null, line)),
    ),
    guard.heldOperations === 0
      ? null
      : h(
          "a",
          { class: "button main", href: pageAddress(`plans/${encodeURIComponent(guard.planId)}`) },
          "Review, release or reject",
        ),
  );
}

function figures({ people, accounts }) {
  const figure = (value, text) =>
    h(
      "div",
      { class: "card" },
      h("div", { class: "figure" }, number(value)),
      h("div", { class: "quiet" }, text),
    );
  return h(
    "div",
    { class: "grid", "data-key": "figures" },
    figure(people.sourceUsers, "people in Entra"),
    figure(people.linkedActive, `active accounts, of ${number(people.linked)} linked`),
    accounts === null
      ? null
      : figure(
          accounts.left.active + accounts.nobodys.active,
          `active accounts of people who have left (${number(accounts.left.active)}) or that are nobody's (${number(accounts.nobodys.active)})`,
        ),
    figure(people.skipped, "skipped"),
    figure(people.retrying, "waiting for a retry"),
  );
}

function failing(retries) {
  if (retries.length === 0) return null;
  return h(
    "section",
    { "data-key": "failing" },
    h("h2", null, "People who fail"),
    table(
      "The next retries first",
      ["Person", "Why", "Tries", "Next try"],
      retries.map((retry) =>
        h(
          "tr",
          { "data-key": `retry-${retry.objectId}` },
          h("td", null, personLink(retry.objectId, retry.userName)),
          h("td", null, retry.message),
          h(
            "td",
            { class: "time" },
            `${number(retry.attempts)} since `,
            moment(retry.firstFailedAt, { away: false }),
          ),
          h("td", { class: "time" }, moment(retry.nextTryAt)),
        ),
      ),
    ),
  );
}

function rejectedByHand({ people }) {
  if (people === 0) return null;
  return h(
    "section",
    { "data-key": "rejected" },
    h("h2", null, "Rejected changes"),
    h(
      "p",
      null,
      `Changes of ${count(people, "person", "people")} are not sent, because they were rejected. `,
      h("a", { href: pageAddress("rejected") }, "Review or undo"),
    ),
  );
}

/** The last time that leavers were found between two cycles. */
function lastLeavers(cycle) {
  if (cycle === null) return null;
  return h(
    "section",
    { "data-key": "last-leavers" },
    h("h2", null, "Leavers between cycles"),
    h(
      "p",
      null,
      "Last found ",
      moment(cycle.startedAt),
      ": ",
      outcomeTag(cycle.outcome),
      " ",
      h(
        "a",
        { href: pageAddress(`log?cycle=${cycle.id}`) },
        `${number(cycle.done)} done, ${number(cycle.failed)} failed`,
      ),
      ".",
    ),
    cycle.error === null ? null : h("p", { class: "small" }, cycle.error),
    ...cycle.notes.map((sentence) => h("p", { class: "small" }, sentence)),
  );
}

function cycles(list) {
  return h(
    "section",
    { "data-key": "cycles" },
    h("h2", null, "Last cycles"),
    list.length === 0
      ? h("p", { class: "quiet" }, "None yet.")
      : table(
          "The newest first",
          [
            "Started",
            "Kind",
            "Outcome",
            { text: "Done", class: "number", label: true },
            { text: "Failed", class: "number", label: true },
            { text: "Took", label: true },
          ],
          list.map((cycle) =>
            h(
              "tr",
              { "data-key": `cycle-${cycle.id}` },
              h("td", { class: "time" }, moment(cycle.startedAt, { away: false })),
              h("td", null, cycle.cycle),
              h(
                "td",
                null,
                outcomeTag(cycle.outcome),
                cycle.error === null
                  ? null
                  : h("details", { class: "small" }, h("summary", null, "Why"), h("p", null, cycle.error)),
              ),
              h(
                "td",
                { class: "number" },
                h(
                  "a",
                  { href: pageAddress(`log?cycle=${cycle.id}`) },
                  `${number(cycle.done)}`,
                  h("span", { class: "unseen" }, " done: log of this cycle"),
                ),
              ),
              h("td", { class: "number" }, number(cycle.failed)),
              h(
                "td",
                { class: "time" },
                cycle.finishedAt === null
                  ? ""
                  : duration(Date.parse(cycle.finishedAt) - Date.parse(cycle.startedAt)),
              ),
            ),
          ),
        ),
  );
}
