import type { Source, SourceChange } from "../../../src/domain/source.ts";
import { type Defect, swap } from "./defect.ts";

// Faults in the look for leavers between two cycles.

const family = "leaver-lane";

function showsLeaver(item: SourceChange): boolean {
  return item.kind === "removed" || item.attributes.accountEnabled === false;
}

/** Removes the people who have not left from each page. */
function ofLeavers({ readChanges }: Source): Source["readChanges"] {
  return async function* (watermark, signal) {
    const pages = readChanges(watermark, signal);
    for (let page = await pages.next(); ; page = await pages.next()) {
      if (page.done === true) return page.value;
      yield page.value.filter(showsLeaver);
    }
  };
}

export const leaverLaneDefects: readonly Defect[] = [
  {
    name: "a look for leavers moves the watermark and keeps nobody else",
    seed: 1,
    history: 23,
    family,
    swaps: [
      swap("cycle/reading/ingest.ts", "ingestBetweenCycles", (original) => (context, ...rest) => {
        const { source } = context;
        return original({ ...context, source: { ...source, readChanges: ofLeavers(source) } }, ...rest);
      }),
    ],
  },
  {
    name: "leavers between two cycles are not compared with what the guard lets pass",
    seed: 1,
    history: 1,
    family,
    swaps: [swap("cycle/guard/weigh.ts", "weighAlone", () => async () => ({ held: false, reasons: [] }))],
  },
  {
    name: "everything of leavers is written between two cycles",
    seed: 1,
    history: 48,
    family,
    swaps: [
      swap("cycle/course/record-cycle.ts", "recordCycle", (original) => (ports, request, ...rest) => {
        const all = request.leavers === undefined ? {} : { sending: { kind: "everything" as const } };
        return original(ports, { ...request, ...all }, ...rest);
      }),
    ],
  },
  {
    name: "leavers whom a killed look has read wait for the next cycle",
    seed: 1,
    history: 220,
    family,
    swaps: [swap("cycle/leavers/leaver-lane.ts", "parseLeaversDue", () => () => [])],
  },
  {
    name: "leavers are written with a configuration that no cycle has planned with",
    seed: 1,
    history: 374,
    family,
    swaps: [
      swap("cycle/health/lane-rest.ts", "laneRest", (original) => (meta, settings, now) => {
        const { digest } = settings.mapping;
        return original({ ...meta, mappingDigest: digest }, settings, now);
      }),
    ],
  },
];
