import { api } from "./api.js";
import { h } from "./dom.js";
import { follow } from "./watch.js";
import { workCard } from "./work-card.js";

/** Whether something that was decided here is still under way: nothing else can be decided meanwhile. */
export function deciding({ state }) {
  return state.busy === true || state.work?.finishedAt === null;
}

/**
 * Tells the daemon what was decided about a plan, follows the cycle that acts on it, and reads everything again.
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

/** How far it is, what came of it, or why it was refused. */
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
