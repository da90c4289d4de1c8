import type { Clock } from "../domain/clock.ts";
import type { StateEvent } from "../domain/event.ts";
import type { CycleKind, PersonStep } from "../domain/plan.ts";
import type { Source } from "../domain/source.ts";
import type { Meta, StateStore } from "../domain/store.ts";
import type { Target } from "../domain/target.ts";
import type { EndClocks } from "./health/clock-doubt.ts";
import { type HostWatch, watchHost } from "./health/host-watch.ts";
import type { Sending } from "./health/quarantine.ts";
import { type KindWatch, parseRefusedKinds, type RefusedKinds, watchKinds } from "./sending/refused-kinds.ts";
import type { CycleSettings } from "./settings.ts";

/** A log that takes an object and a message; pino's loggers fit. Object ids go in at `info`, names only at `debug`. */
export interface CycleLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface Progress {
  readonly phase: "reading Entra" | "reading the scope" | "reading Lattice" | "planning" | "sending";
  readonly done: number;
  /** Unknown while reading. */
  readonly total: number | null;
}

/** What the engine works with; it knows no transport. */
export interface Ports {
  readonly source: Source;
  readonly target: Target;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: CycleLog;
  readonly settings: CycleSettings;
  /** What both ends' answers say of their clocks. Default: ours is believed. */
  readonly clocks?: EndClocks | undefined;
  /** 0 up to 1; handed in so that a simulation owns it. */
  readonly random: () => number;
  /** Told of each change of state once. */
  readonly onEvent?: ((event: StateEvent) => void) | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Told of each step of a cycle on demand as it is done. */
  readonly onStep?: ((step: PersonStep) => void) | undefined;
}

/** Remembers a change of state together with the event that tells of it, in one commit, and says it. */
export async function changeState(
  { store, clock, onEvent }: Pick<Ports, "store" | "clock" | "onEvent">,
  meta: Partial<Meta>,
  event: StateEvent,
): Promise<void> {
  await store.addEvent(event, { at: clock.now(), meta });
  onEvent?.(event);
}

/** One cycle under way. */
export interface CycleContext extends Ports {
  readonly cycleId: number;
  readonly kind: CycleKind;
  readonly signal: AbortSignal;
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
  /** Accounts that people were to be linked to in this cycle, by Lattice id: whoever comes second is matched again with the next. */
  readonly claims: Map<string, string>;
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
  cycle: Pick<CycleContext, "cycleId" | "kind" | "signal" | "firstRun"> &
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
    host: watchHost(ports, cycle.signal),
    refusedBefore,
    kinds: watchKinds(refusedBefore),
  };
}
