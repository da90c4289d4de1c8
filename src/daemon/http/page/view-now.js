import { api } from "./api.js";
import { h, table } from "./dom.js";
import { pager } from "./pager.js";
import { ago, count, duration, moment, number, personLink, tag } from "./words.js";
import { workCard } from "./work-card.js";

const refreshMs = 15_000;
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
    { class: "notice" },
    h(
      "ul",
      null,
      sentences.map((sentence) => h("li", null, sentence)),
    ),
  );
}

export async function nowView({ signal, reload }) {
  const now = await api("now", { signal });
  const running = now.works.find(({ finishedAt }) => finishedAt === null);
  const problem = h("div", { role: "alert" });

  const start = async (body) => {
    problem.replaceChildren();
    try {
      await api("cycles", { method: "POST", body });
      reload();
    } catch (error) {
      problem.replaceChildren(h("div", { class: "notice bad" }, error.message));
    }
  };
  const shownWork = running ?? now.works.find(({ trigger }) => trigger === "hand");
  // What is typed or looked at stays; only what has changed by then is shown anew.
  const timer = setTimeout(() => {
    if (!signal.aborted && document.visibilityState === "visible" && !busyHere()) reload();
  }, refreshMs);
  signal.addEventListener("abort", () => clearTimeout(timer));

  return [
    stateCard(now, running, start),
    problem,
    shownWork === undefined ? null : workCard(shownWork, signal, reload),
    held(now.guard),
    quarantine(now.quarantine),
    notes(now.lastCycle),
    ...now.refusedKinds.map(({ message }) => h("section", { class: "notice warn" }, h("p", null, message))),
    figures(now),
    failing(now.retries),
    leftAlone(now.leftAlone, signal),
    cycles(now.cycles),
    h(
      "p",
      { class: "quiet small" },
      `Version ${now.version}. `,
      "As of ",
      moment(now.now, { away: false }),
      ".",
    ),
  ].filter((part) => part !== null);
}

function busyHere() {
  return document.activeElement?.closest("details[open]") !== null;
}

function stateCard(now, running, start) {
  const { tone, title, text } = stateOf(now, running);
  const disabled = running !== undefined;
  return h(
    "section",
    { class: `state ${tone}` },
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
        { type: "button", class: "main", disabled, onclick: () => start({ dryRun: true }) },
        "Dry run",
      ),
      h("button", { type: "button", disabled, onclick: () => start({}) }, "Sync now"),
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
    { class: "notice warn" },
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
    { class: "notice bad" },
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
    { class: "grid" },
    figure(people.sourceUsers, "people in Entra"),
    figure(people.linkedActive, `active accounts, of ${number(people.linked)} linked`),
    figure(people.skipped, "left alone"),
    figure(people.retrying, "waiting for a retry"),
  );
}

function failing(retries) {
  if (retries.length === 0) return null;
  return h(
    "section",
    null,
    h("h2", null, "Who is failing, and why"),
    table(
      "The next ones to be tried",
      ["Person", "Why", "Tries", "Next try"],
      retries.map((retry) =>
        h(
          "tr",
          null,
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

function leftAlone(counts, signal) {
  const codes = Object.entries(counts).sort((left, right) => right[1] - left[1]);
  if (codes.length === 0) return null;
  const people = h("div", null);
  const place = h("div", null);
  const read = async (after) => {
    const page = await api(`left-alone?limit=50&after=${encodeURIComponent(after)}`, { signal });
    const rows = page.people.map((person) =>
      h("p", { class: "small" }, personLink(person.objectId, person.userName), `: ${person.reason}`),
    );
    people.append(...rows);
    return { rows, next: page.after };
  };
  let loaded = false;
  const open = async () => {
    if (loaded) return;
    loaded = true;
    try {
      const first = await read("");
      place.replaceChildren(people, pager("Show more", first.next, read));
    } catch (error) {
      loaded = false;
      place.replaceChildren(h("div", { class: "notice bad", role: "alert" }, error.message));
    }
  };
  return h(
    "section",
    null,
    h("h2", null, "Left alone, on purpose"),
    h(
      "ul",
      { class: "changes" },
      codes.map(([code, value]) =>
        h("li", null, h("strong", null, number(value)), ` ${reasons[code] ?? code}`),
      ),
    ),
    h("details", { ontoggle: open }, h("summary", null, "Who they are"), place),
  );
}

function cycles(list) {
  return h(
    "section",
    null,
    h("h2", null, "Last cycles"),
    list.length === 0
      ? h("p", { class: "quiet" }, "None yet.")
      : table(
          "The newest first",
          [
            "Started",
            "Kind",
            "Outcome",
            { text: "Done", class: "number" },
            { text: "Failed", class: "number" },
            "Took",
          ],
          list.map((cycle) =>
            h(
              "tr",
              null,
              h("td", { class: "time" }, moment(cycle.startedAt, { away: false })),
              h("td", null, cycle.cycle),
              h(
                "td",
                null,
                tag(cycle.outcome),
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
          { stack: false },
        ),
  );
}
