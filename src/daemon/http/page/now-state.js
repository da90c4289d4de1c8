import { api } from "./api.js";
import { h } from "./dom.js";
import { ago, count, moment } from "./words.js";

/** The state at a glance, the next cycle, and the buttons that start work. */
export function stateCard(now, running, visit) {
  const { tone, title, text } = stateOf(now, running);
  // Not `disabled`, which would take the focus away from the button that was pressed.
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
      now.quarantine === null
        ? h(
            "p",
            { class: "quiet" },
            "Next cycle: ",
            now.nextDueAt === null ? "not known yet" : due(now.nextDueAt),
            now.leavers.nextLookAt === null
              ? null
              : [". Next look for leavers: ", due(now.leavers.nextLookAt)],
          )
        : quarantineText(now.quarantine),
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
      now.pause === null
        ? null
        : h("button", { type: "button", onclick: () => resume(visit) }, "Resume sending"),
    ),
  );
}

/** Ends the pause of sending, and reads the state again. */
async function resume(visit) {
  try {
    await api("resume", { method: "POST", body: {} });
    visit.state.problem = null;
  } catch (error) {
    visit.state.problem = visit.refused(error);
  }
  visit.reload();
}

function due(iso) {
  return Date.parse(iso) <= Date.now() ? "due now" : moment(iso);
}

/** Kinds of cycles that are about some people: they say nothing about the others. */
const ofSome = ["on-demand", "revert", "leavers"];

function stateOf(now, running) {
  const last = [now.lastOfEverybody, ...now.cycles.filter(({ cycle }) => !ofSome.includes(cycle))].find(
    (cycle) => cycle !== null && cycle.finishedAt !== null,
  );
  const when =
    last === undefined
      ? "No cycle has ended yet."
      : `The last cycle ended ${ago(new Date(last.finishedAt))}.`;
  if (now.quarantine !== null)
    return {
      tone: "bad",
      title: now.quarantine.leaversOnly
        ? "Quarantine: only leavers are deactivated"
        : "Quarantine: syncing is stopped",
      text: now.quarantine.reason,
    };
  if (now.pause !== null) return { tone: "warn", title: "Sending is paused", text: now.pause.text };
  if (now.askedPause !== null) {
    return {
      tone: "warn",
      title: "Paused, because Entra or Lattice asked for it",
      text: now.askedPause.reason,
    };
  }
  if (running !== undefined && last === undefined)
    return { tone: "", title: "The first cycle is running", text: when };
  if (last?.outcome === "failed")
    return { tone: "bad", title: "The last cycle failed", text: last.error ?? when };
  if (now.canary !== null)
    return {
      tone: now.canary.state === "failed" ? "bad" : "warn",
      title: now.canary.state === "failed" ? "The canary has failed" : "A canary is under way",
      text: now.canary.text,
    };
  if (now.guard.held) return { tone: "warn", title: "Changes wait for your decision", text: when };
  if (now.people.retrying > 0) {
    const people = count(now.people.retrying, "person fails", "people fail");
    return { tone: "warn", title: `${people}; everyone else is in order`, text: when };
  }
  if (last === undefined) return { tone: "warn", title: "Waiting for the first cycle", text: when };
  return { tone: "", title: "All in order", text: when };
}

/** The start of the quarantine, and the time of the next attempt. */
function quarantineText({ attempts, since, nextProbeAt }) {
  return h(
    "p",
    null,
    `${count(attempts, "attempt")} since `,
    moment(since),
    "; the next automatic attempt is on ",
    moment(nextProbeAt),
    ". “Sync now” tries at once.",
  );
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
