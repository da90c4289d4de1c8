import type { ScopePart } from "../../../src/domain/source.ts";
import { type Defect, swap, swapInner } from "./defect.ts";

// Faults in the question between two cycles who has left the scope.

const family = "scope-leavers";

export const scopeLeaverDefects: readonly Defect[] = [
  {
    name: "people who leave the scope wait for the regular cycle",
    seed: 1,
    history: 6,
    family,
    swaps: [swap("cycle/leavers/scope-leavers.ts", "mayHaveLeftScope", () => async () => false)],
  },
  {
    name: "who was removed is read from the first page alone",
    seed: 1,
    history: 41,
    family,
    swaps: [
      swap("cycle/leavers/scope-leavers.ts", "mayHaveLeftScope", (original) => (ports, signal) => {
        const { source } = ports;
        async function* first(...terms: Parameters<typeof source.readScopeRemovals>) {
          for await (const page of source.readScopeRemovals(...terms)) {
            yield page;
            return;
          }
        }
        return original({ ...ports, source: { ...source, readScopeRemovals: first } }, signal);
      }),
    ],
  },
  {
    name: "the question who was removed moves the watermark of the scope",
    seed: 1,
    history: 36,
    family,
    swaps: [
      swap("cycle/leavers/scope-leavers.ts", "mayHaveLeftScope", (original) => async (ports, signal) => {
        const asks = await original(ports, signal);
        const { source, store } = ports;
        const { scopeWatermark = "" } = await store.meta();
        if (!asks || scopeWatermark === "") return asks;
        const { groups } = JSON.parse(scopeWatermark) as { readonly groups: readonly string[] };
        const parts = groups.map((id): ScopePart => ({ id, name: id, members: 1 }));
        const moved = (await source.scopeWatermark(parts, signal)) ?? "";
        await store.commit({ notes: { scopeWatermark: moved } }, "private");
        return asks;
      }),
    ],
  },
  {
    name: "the watermark of the scope is taken after it was read",
    seed: 1,
    history: 6,
    family,
    swaps: [swapInner<() => boolean>("cycle/reading/read.ts", "areAmong", () => () => false)],
  },
];
