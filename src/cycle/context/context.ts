import type { CycleKind } from "../../domain/plan.ts";
import type { Fence } from "../../domain/state/fence.ts";
import type { Meta } from "../../domain/state/meta.ts";
import { type HostWatch, watchHost } from "../health/host-watch.ts";
import type { Sending } from "../health/quarantine.ts";
import { type KindWatch, parseRefusedKinds, type RefusedKinds, watchKinds } from "../health/refused-kinds.ts";
import type { Presumption } from "../operations/presumption.ts";
import type { Ports } from "../ports/ports.ts";
import { createTurns, type InTurn } from "./in-turn.ts";
import { type ProtectionWatch, watchProtections } from "./protection-watch.ts";

/** The cycle under way: what each of its steps is handed. */
export interface CycleContext extends Ports {
  readonly cycleId: number;
  readonly kind: CycleKind;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly signal: AbortSignal;
  /** Proof of the lease, for each commit of the cycle. */
  readonly fence: Fence;
  /** The scope has mode `all`: everyone is a member, and no membership is stored. */
  readonly everyoneInScope: boolean;
  /** Findings that the cycle did not believe, or leaves for a later one, in sentences for a person. Steps add to them. */
  readonly notes: string[];
  /** Object ids of people whom Entra did not confirm as leavers when asked by id, and why. They stay active in this cycle. */
  readonly unconfirmed: Map<string, string>;
  /** The plans of this cycle that rest on other people being gone, by object id of the person who is planned. */
  readonly presumptions: Map<string, Presumption>;
  /**
   * How far our own clock is behind those of Entra and Lattice, milliseconds (negative: ahead); 0 if our clock is believed.
   * If it is not 0, `clock` shows the time of Entra and Lattice, and nothing is planned that depends on the time.
   */
  readonly clockDoubtMs: number;
  /** Every account was read in this cycle, so the stored accounts are current. */
  readonly listed: boolean;
  /** The last listing of accounts was incomplete. An account is searched for before it is created. */
  readonly lookUpFirst: boolean;
  /** The first run has not ended: creates and links are expected, and the guard does not weigh them. */
  readonly firstRun: boolean;
  /**
   * Object ids of people to whom this cycle links accounts, by Lattice id. A second person who matches such an account is
   * matched again in the next cycle.
   */
  readonly claims: Map<string, string>;
  /** Runs each piece of reading, folding and writing the state without another one in between. */
  readonly inTurn: InTurn;
  /** Keeps protected accounts from being written, whatever the plan says. */
  readonly protections: ProtectionWatch;
  /** Decides whether failing records point to a fault of the host or of the key. */
  readonly host: HostWatch;
  readonly sending: Sending;
  /**
   * A new configuration is tried on a few people first: their object ids, none until they are chosen; everybody else's operations
   * are held. `null` if there is no canary.
   */
  readonly canary: Set<string> | null;
  /** Kinds of operations that Lattice refused at the end of the last cycle. */
  readonly refusedBefore: RefusedKinds;
  /** Follows the outcomes of each kind of operation. */
  readonly kinds: KindWatch;
}

/** The context with which a cycle begins. */
export function cycleContext(
  ports: Ports,
  cycle: Pick<CycleContext, "cycleId" | "kind" | "startedAt" | "signal" | "fence" | "firstRun"> &
    Partial<Pick<CycleContext, "sending">>,
  meta: Partial<Meta>,
): CycleContext {
  const refusedBefore = parseRefusedKinds(meta);
  const protections = watchProtections(ports.target, ports.store, ports.settings);
  return {
    ...ports,
    target: protections.target,
    protections,
    sending: { kind: "everything" },
    ...cycle,
    everyoneInScope: ports.source.readScope(cycle.signal) === null,
    listed: false,
    lookUpFirst: false,
    notes: [],
    unconfirmed: new Map(),
    presumptions: new Map(),
    clockDoubtMs: 0,
    claims: new Map(),
    inTurn: createTurns(),
    host: watchHost(ports, cycle.signal),
    refusedBefore,
    canary: null,
    kinds: watchKinds(refusedBefore),
  };
}
