import type { CycleKind } from "../../domain/plan.ts";
import type { Fence } from "../../domain/state/change.ts";
import type { Meta } from "../../domain/state/meta.ts";
import { type HostWatch, watchHost } from "../health/host-watch.ts";
import type { Sending } from "../health/quarantine.ts";
import { type KindWatch, parseRefusedKinds, type RefusedKinds, watchKinds } from "../health/refused-kinds.ts";
import type { Ports } from "../ports/ports.ts";
import { createTurns, type InTurn } from "./in-turn.ts";

/** One cycle under way. */
export interface CycleContext extends Ports {
  readonly cycleId: number;
  readonly kind: CycleKind;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly signal: AbortSignal;
  /** What each commit of the cycle names. */
  readonly fence: Fence;
  /** Mode `all`: membership is not kept, everybody is a member. */
  readonly everyoneInScope: boolean;
  /** What the cycle met and did not believe, or leaves for a later one; sentences for a person, added as it goes. */
  readonly notes: string[];
  /** People whose leaving Entra did not confirm when it was asked by id, and why: not deactivated for it in this cycle. */
  readonly unconfirmed: Map<string, string>;
  /**
   * How far our own clock is behind both ends', milliseconds (negative: ahead); 0 where it is believed. Otherwise `clock` is
   * as the ends have it, and nothing is planned that time decides.
   */
  readonly clockDoubtMs: number;
  /** Every account was read in this cycle: what the picture has of one is of now. */
  readonly listed: boolean;
  /** The last listing did not show everybody: whoever is to get an account is searched for first. */
  readonly lookUpFirst: boolean;
  /** No first run has come to its end: creates and links are what it is there for, and are not weighed. */
  readonly firstRun: boolean;
  /**
   * Accounts that people were to be linked to in this cycle, by Lattice id: whoever comes second is matched again with the
   * next.
   */
  readonly claims: Map<string, string>;
  /** In which what is read of the state is folded and written. */
  readonly inTurn: InTurn;
  /** Judges what single records that fail say of everybody. */
  readonly host: HostWatch;
  readonly sending: Sending;
  /** Kinds of operations that were refused when the last cycle ended. */
  readonly refusedBefore: RefusedKinds;
  /** Follows what becomes of each kind of operation. */
  readonly kinds: KindWatch;
}

/** What a cycle needs at hand from its beginning. */
export function cycleContext(
  ports: Ports,
  cycle: Pick<CycleContext, "cycleId" | "kind" | "startedAt" | "signal" | "fence" | "firstRun"> &
    Partial<Pick<CycleContext, "sending">>,
  meta: Partial<Meta>,
): CycleContext {
  const refusedBefore = parseRefusedKinds(meta);
  return {
    ...ports,
    sending: { kind: "everything" },
    ...cycle,
    everyoneInScope: ports.source.readScope(cycle.signal) === null,
    listed: false,
    lookUpFirst: false,
    notes: [],
    unconfirmed: new Map(),
    clockDoubtMs: 0,
    claims: new Map(),
    inTurn: createTurns(),
    host: watchHost(ports, cycle.signal),
    refusedBefore,
    kinds: watchKinds(refusedBefore),
  };
}
