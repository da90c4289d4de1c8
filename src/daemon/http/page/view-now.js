import { api } from "./api.js";
import { h, table } from "./dom.js";
import { moreButton, pagesOf } from "./pager.js";
import { follow } from "./watch.js";
import { ago, count, duration, moment, number, outcomeTag, personLink } from "./words.js";
import { workCard } from "./work-card.js";

const reasons = {
  invalidUserName: "the mapped userName is no valid address",
  duplicateUserName: "several people map to one userName",
  duplicateExternalId: "several people map to one externalId",
  ambiguousMatch: "several accounts could be theirs",
  externalIdConflict: "the account has another externalId",
  externalIdOfAnother: "the account carries another person's externalId",
  linkedToAnother: "the account is linked to another person",
  formerOwner: "the account is that of a person who has left",
  protectedAccount: "the account is protected by the configuration",
  managerRing: "several people are one another's managers",
  renameRing: "several people are to get one another's userNames",
  disabled: "disabled in Entra, and without an account",
  actionOff: "the action is switched off",
  mappingFailed: "a value cannot be mapped",
  rejected: "rejected by hand",
  removedInLattice: "the account was removed in Lattice",
  accountMissing: "the account cannot be found in Lattice",
  deactivationDelayed: "the deactivation is put off",
  eventIgnored: "the configuration leaves such an event alone",
  propertyNotShown: "Entra does not show a property that decides",
  clockInDoubt: "depends on the time, and this machine's clock is wrong",
  leavingUnconfirmed: "seems to have left, and Entra did not confirm it",
  waitingForRetry: "waiting for a retry",
  putBack: "put back to a later cycle, for a reason that is not theirs",
};

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

/** Where everything stands, and what can be set going. It is read again by itself. */
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
    return [
      stateCard(now, running, visit),
      h(
        "div",
        { role: "alert", "data-key": "problem" },
        state.problem ? h("div", { class: "notice bad" }, state.problem) : null,
      ),
      work === undefined ? null : workCard(work),
      held(now.guard),
      quarantine(now.quarantine),
      notes(now.lastCycle),
      ...now.refusedKinds.map(({ message }) =>
        h("section", { class: "notice warn", "data-key": `kind-${message}` }, h("p", null, message)),
      ),
      figures(now),
      failing(now.retries),
      rejectedByHand(now.rejected),
      leftAlone(now.leftAlone, visit),
      cycles(now.cycles),
      h(
        "p",
        { class: "quiet small" },
        `Version ${now.version}. `,
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

async function start(visit, body) {
  const { state } = visit;
  if (state.starting) return;
  state.starting = true;
  state.problem = null;
  visit.redraw();
  try {
    await api("cycles", { method: "POST", body });
  } catch (error) {
    state.problem = visit.refused(error);
  }
  state.starting = false;
  visit.redraw();
  await visit.reload();
}

function stateCard(now, running, visit) {
  const { tone, title, text } = stateOf(now, running);
  // Not `disabled`, which would take the focus from the button that was pressed.
  const busy = running !== undefined || visit.state.starting ? "true" : null;
  const begin = (body) => () => {
    if (busy === null) start(visit, body);
  };
  return h(
    "section",
    { class: `state ${tone}`, "data-key": "state" },
    h(
      "div",
      null,
      h("h1", null, title),
      h("p", { class: "quiet" }, text),
      h(
        "p",
        { class: "quiet" },
        "Next cycle: ",
        now.nextDueAt === null ? "not known yet" : due(now.nextDueAt),
      ),
    ),
    h(
      "div",
      { class: "row" },
      h(
        "button",
        { type: "button", class: "main", "aria-disabled": busy, onclick: begin({ dryRun: true }) },
        "Dry run",
      ),
      h("button", { type: "button", "aria-disabled": busy, onclick: begin({}) }, "Sync now"),
    ),
  );
}

function due(iso) {
  return Date.parse(iso) <= Date.now() ? "due now" : moment(iso);
}

function stateOf(now, running) {
  const last = now.cycles.find(({ finishedAt }) => finishedAt !== null);
  const when =
    last === undefined
      ? "No cycle has ended yet."
      : `The last cycle ended ${ago(new Date(last.finishedAt))}.`;
  if (now.quarantine !== null) return { tone: "bad", title: "In quarantine", text: now.quarantine.reason };
  if (now.askedPause !== null) {
    return { tone: "warn", title: "Paused, because one end asked for it", text: now.askedPause.reason };
  }
  if (running !== undefined && last === undefined)
    return { tone: "", title: "The first cycle is under way", text: when };
  if (last?.outcome === "failed")
    return { tone: "bad", title: "The last cycle failed", text: last.error ?? when };
  if (now.guard.held) return { tone: "warn", title: "A part of the plan is held", text: when };
  if (now.people.retrying > 0) {
    const people = count(now.people.retrying, "person fails", "people fail");
    return { tone: "warn", title: `${people}; everybody else is in order`, text: when };
  }
  if (last === undefined) return { tone: "warn", title: "Waiting for the first cycle", text: when };
  return { tone: "", title: "All in order", text: when };
}

function held(guard) {
  if (!guard.held) return null;
  return h(
    "section",
    { class: "notice warn", "data-key": "held" },
    h("h2", null, `The guard holds ${count(guard.heldOperations, "operation")}`),
    h(
      "ul",
      null,
      [...guard.reasons, ...guard.notes].map((line) => h("li", null, line)),
    ),
    guard.heldOperations === 0
      ? null
      : h(
          "a",
          { class: "button main", href: `#/plans/${encodeURIComponent(guard.planId)}` },
          "Look through, release or reject",
        ),
  );
}

function quarantine(state) {
  if (state === null) return null;
  return h(
    "section",
    { class: "notice bad", "data-key": "quarantine" },
    h("h2", null, "Quarantine: the schedule backs off"),
    h("p", null, state.reason),
    h(
      "p",
      null,
      `${count(state.attempts, "attempt")} since `,
      moment(state.since),
      "; the next one ",
      moment(state.nextProbeAt),
      ". “Sync now” tries at once.",
    ),
  );
}

function figures({ people }) {
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
    figure(people.skipped, "skipped"),
    figure(people.retrying, "waiting for a retry"),
  );
}

function failing(retries) {
  if (retries.length === 0) return null;
  return h(
    "section",
    { "data-key": "failing" },
    h("h2", null, "Who is failing, and why"),
    table(
      "The next ones to be tried",
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

function leftAlone(counts, visit) {
  const codes = Object.entries(counts).sort((left, right) => right[1] - left[1]);
  if (codes.length === 0) return null;
  return h(
    "section",
    { "data-key": "left-alone" },
    h("h2", null, "Skipped, on purpose"),
    codes.map(([code, value]) =>
      h(
        "details",
        {
          "data-key": `code-${code}`,
          ontoggle: ({ currentTarget }) => currentTarget.open && look(code, visit),
        },
        h("summary", null, h("strong", null, number(value)), ` ${reasons[code] ?? code}`),
        whoIsLeftAlone(code, visit),
      ),
    ),
  );
}

/** Reads whom a reason is about when it is opened; they are kept while the view is. */
async function look(code, visit) {
  const { state } = visit;
  state.leftAlone ??= {};
  if (state.leftAlone[code] !== undefined) return;
  state.leftAlone[code] = pagesOf([], null);
  try {
    const { rows, next } = await readLeftAlone(code, "", visit.signal);
    state.leftAlone[code] = pagesOf(rows, next);
  } catch (error) {
    delete state.leftAlone[code];
    state.problem = visit.refused(error);
  }
  visit.redraw();
}

async function readLeftAlone(code, after, signal) {
  const query = new URLSearchParams({ code, after, limit: "50" });
  const page = await api(`left-alone?${query}`, { signal });
  return { rows: page.people, next: page.after };
}

function whoIsLeftAlone(code, visit) {
  const list = visit.state.leftAlone?.[code];
  if (list === undefined) return null;
  return [
    h(
      "div",
      null,
      list.rows.map((person) =>
        h(
          "p",
          { class: "small", "data-key": `left-${person.objectId}` },
          personLink(person.objectId, person.userName),
          `: ${person.reason}`,
        ),
      ),
    ),
    moreButton(visit, list, "Show more", (after) => readLeftAlone(code, after, visit.signal)),
  ];
}

function rejectedByHand({ people }) {
  if (people === 0) return null;
  return h(
    "section",
    { "data-key": "rejected" },
    h("h2", null, "Rejected by hand"),
    h(
      "p",
      null,
      `Changes of ${count(people, "person", "people")} are not sent, because they were rejected. `,
      h("a", { href: "#/rejected" }, "Look through or take back"),
    ),
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
                cycle.error === null ? null : h("div", { class: "small" }, cycle.error),
              ),
              h(
                "td",
                { class: "number" },
                h(
                  "a",
                  { href: `#/log?cycle=${cycle.id}` },
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
