import type { StateChange } from "../../domain/state/change.ts";
import type { ReleasedChange } from "../../domain/state/decided-change.ts";
import type { ChangeToReject } from "../../domain/state/guarding.ts";
import { heldDecided } from "./marks.ts";

/** What a person decided about changes that are, or were, held. */
export interface HeldDecision {
  readonly planId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** They pass the guard, each while it stays as it is; a rejection of the attribute is over. */
  readonly released?: readonly ReleasedChange[];
  /** They are in no plan, each while it stays as it is; a release of the attribute is over. */
  readonly rejected?: readonly ChangeToReject[];
  /** Object ids of people of whom whatever was rejected is taken back. */
  readonly undone?: readonly string[];
}

/** What a decision about held changes leaves. A person whose change is rejected is planned anyway: something is held. */
export function foldRelease({
  planId,
  at,
  released = [],
  rejected = [],
  undone = [],
}: HeldDecision): StateChange {
  return {
    releases: {
      drop: rejected.map(({ objectId, attribute }) => ({ objectId, attribute })),
      put: released.map((change) => ({ ...change, planId, releasedAt: at })),
    },
    rejections: {
      drop: [
        ...undone.map((objectId) => ({ objectId })),
        ...released.map(({ objectId, attribute }) => ({ objectId, attribute })),
      ],
      put: rejected.map((change) => ({ ...change, planId, rejectedAt: at })),
    },
    marks: heldDecided([...undone, ...released.map(({ objectId }) => objectId)]),
  };
}
