import type { StateChange } from "../../domain/state/change.ts";
import type { ReleasedChange } from "../../domain/state/decided-change.ts";
import type { ChangeToReject } from "../../domain/state/guarding.ts";
import { theAccount } from "../operations/fingerprint.ts";
import { heldDecided, managerGetsNoAccount } from "./marks.ts";

/** A person's decision about changes that are, or were, held. */
export interface HeldDecision {
  readonly planId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** These changes pass the guard as long as they are planned unchanged. A rejection of the attribute ends. */
  readonly released?: readonly ReleasedChange[];
  /** These changes are left out of plans as long as they would be unchanged. A release of the attribute ends. */
  readonly rejected?: readonly ChangeToReject[];
  /** Object ids of people whose rejections are undone. */
  readonly undone?: readonly string[];
}

/**
 * Folds a decision about held changes. People with rejected changes need no mark: they are marked as long as something is
 * held. Their reports may have waited for an account that is not made now.
 */
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
    marks: [
      ...heldDecided([...undone, ...released.map(({ objectId }) => objectId)]),
      ...rejected
        .filter(({ attribute }) => attribute === theAccount)
        .flatMap(({ objectId }) => managerGetsNoAccount(objectId)),
    ],
  };
}
