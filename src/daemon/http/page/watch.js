import { api } from "./api.js";

const everyMs = 700;

/** Calls `each` with the work `id` until it has ended. @returns the work as it ended; null where the view was left */
export async function watchWork(id, signal, each) {
  for (;;) {
    const work = await api(`works/${id}`, { signal });
    each(work);
    if (work.finishedAt !== null) return work;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
    if (signal.aborted) return null;
  }
}
