import { api } from "./api.js";
import { h } from "./dom.js";
import { follow } from "./watch.js";
import { workCard } from "./work-card.js";

/** `true` while a decision is being carried out. No other one can be made until it is done. */
export function deciding({ state }) {
  return state.busy === true || state.work?.finishedAt === null;
}

/**
 * Sends a decision about a plan to the daemon, follows the cycle that carries it out, and reads the data again.
 * @param body `only`, `reject` or `undoReject` with object ids; empty to release everything
 */
export async function decide(visit, planId, body) {
  const { state } = visit;
  if (deciding(visit)) return;
  Object.assign(state, { busy: true, problem: null, work: null });
  visit.redraw();
  try {
    const address = `plans/${encodeURIComponent(planId)}/release`;
    const { work } = await api(address, { method: "POST", body });
    state.chosen?.clear();
    state.reason = "";
    state.decided = (state.decided ?? 0) + 1;
    follow(visit, work);
  } catch (error) {
    state.problem = visit.refused(error);
  }
  state.busy = false;
  visit.redraw();
}

/** The progress of the decision, its result, or why it was refused. */
export function decisionParts({ state }) {
  return [
    state.work ? workCard(state.work) : null,
    h(
      "div",
      { role: "alert", "data-key": "problem" },
      state.problem ? h("div", { class: "notice bad" }, state.problem) : null,
    ),
  ];
}
