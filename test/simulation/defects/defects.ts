import { accountDecisionDefects } from "./account-decisions.ts";
import { canaryDefects } from "./canary.ts";
import type { Defect } from "./defect.ts";
import { externalIdDefects } from "./external-ids.ts";
import { guardDefects } from "./guard.ts";
import { leaverLaneDefects } from "./leaver-lane.ts";
import { orderDefects } from "./orders.ts";
import { planningDefects } from "./planning.ts";
import { readingDefects } from "./reading.ts";
import { revertDefects } from "./reverts.ts";
import { scopeLeaverDefects } from "./scope-leavers.ts";
import { sendingDefects } from "./sending.ts";
import { twoRunDefects } from "./two-runs.ts";

/** All of them; each has a name of its own. */
export const defects: readonly Defect[] = [
  ...readingDefects,
  ...planningDefects,
  ...guardDefects,
  ...sendingDefects,
  ...externalIdDefects,
  ...accountDecisionDefects,
  ...leaverLaneDefects,
  ...scopeLeaverDefects,
  ...revertDefects,
  ...canaryDefects,
  ...orderDefects,
  ...twoRunDefects,
];
