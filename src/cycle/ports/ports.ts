import type { Clock, EndClocks } from "../../domain/clock.ts";
import type { StateEvent } from "../../domain/event.ts";
import type { Logger } from "../../domain/logger.ts";
import type { PersonStep } from "../../domain/plan.ts";
import type { Source } from "../../domain/source.ts";
import type { Fence } from "../../domain/state/fence.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { AccountElsewhere } from "../../domain/state/other-jobs.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { Target } from "../../domain/target.ts";
import type { CycleSettings } from "./settings.ts";

export interface Progress {
  readonly phase: "reading Entra" | "reading the scope" | "reading Lattice" | "planning" | "sending";
  readonly done: number;
  /** Unknown while reading. */
  readonly total: number | null;
}

/** Everything that the engine is handed. It knows no transport. */
export interface Ports {
  readonly source: Source;
  readonly target: Target;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: CycleSettings;
  /** The clocks of Entra and Lattice, as their answers show them. Default: our clock is believed. */
  readonly clocks?: EndClocks | undefined;
  /** 0 up to 1; handed in so that a simulation owns it. */
  readonly random: () => number;
  /** Default: this is the only job. */
  readonly neighbours?: Neighbours | undefined;
  /** Called once for each change of state. */
  readonly onEvent?: ((event: StateEvent) => void) | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Called for each step of a cycle on demand when it is done. */
  readonly onStep?: ((step: PersonStep) => void) | undefined;
}

/** Other jobs that must not write to the same Lattice company. */
export interface Neighbours {
  /** The name of this job. */
  readonly self: string;
  /** A few accounts that each of them knows. @throws StateError */
  accounts(): Promise<readonly AccountElsewhere[]>;
  /** The remedy, if that job writes to the same company, in words without a full stop. */
  adviceFor(job: string): string;
}

/** The store, and the proof of the right to write to it. */
export interface Writing extends Pick<Ports, "store"> {
  readonly fence: Fence;
}

/** Stores these notes. */
export function keepNotes({ store, fence }: Writing, notes: Partial<Meta>): Promise<void> {
  return store.commit({ notes }, fence);
}

/** Stores notes together with the event that reports the change, in one commit, and then calls `onEvent`. */
export async function changeState(
  { store, fence, clock, onEvent }: Writing & Pick<Ports, "clock" | "onEvent">,
  notes: Partial<Meta>,
  event: StateEvent,
): Promise<void> {
  await store.commit({ notes, events: [{ event, at: clock.now() }] }, fence);
  onEvent?.(event);
}
