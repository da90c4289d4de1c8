import { api } from "./api.js";
import { say } from "./dom.js";
import { workName } from "./work-card.js";

const everyMs = 700;

/**
 * Follows the work `id` to its end in `visit.state.work`, and then reads the data again. Work is never followed twice.
 */
export async function follow(visit, id) {
  const { state, signal } = visit;
  if (state.following === id) return;
  state.following = id;
  try {
    await toItsEnd(visit, id);
  } catch (error) {
    if (signal.aborted) return;
    if (error.status === 404) {
      state.work = null;
      state.problem = "The daemon was restarted in the meantime. Its log says how the work ended.";
    }
    // Reading the data again meets any other fault too, and reports it.
  } finally {
    state.following = null;
  }
  if (!signal.aborted) await visit.reload();
}

async function toItsEnd(visit, id) {
  const { state, signal } = visit;
  let phase = "";
  for (;;) {
    const work = await api(`works/${id}`, { signal });
    if (signal.aborted) return;
    state.work = work;
    visit.redraw();
    if (work.finishedAt !== null) return say(workName(work).ended);
    const next = work.progress?.phase ?? "";
    if (next !== phase && next !== "") say(`${workName(work).going}: ${next}`);
    phase = next;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
    if (signal.aborted) return;
  }
}

/** Follows again, after the connection was lost, work that was started on this page. */
export function resume(visit) {
  const { work } = visit.state;
  if (work && work.finishedAt === null) follow(visit, work.id);
}
