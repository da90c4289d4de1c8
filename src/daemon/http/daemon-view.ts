import type { Config } from "../../config/schema.ts";
import type { ProtectionOrder, ProtectionOutcome } from "../../cycle/guard/protect.ts";
import type { SendingPause } from "../../cycle/health/sending-pause.ts";
import type { AccountKind, accountsPage } from "../../cycle/person/account-kinds.ts";
import type { Explanation } from "../../cycle/person/explanation.ts";
import type { Actor } from "../../domain/actor.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { LinkRequest, LinkResult } from "../../job/decide-link.ts";
import type { Metrics } from "../../report/metrics.ts";
import type { ConfigurationNotes, NewConfiguration } from "../../report/new-configuration.ts";
import type { Scheduler } from "../scheduler.ts";
import type { WorkStarter, Works } from "../works.ts";
import type { SharedDatabase } from "./fleet-view.ts";
import type { Sessions } from "./sessions.ts";

/** The daemon as its HTTP sees it: its jobs, the data it may read, and the few actions it may start. */
export interface DaemonView {
  readonly version: string;
  readonly jobs: JobList;
  readonly metrics: Metrics;
  /** The databases that this daemon shares with others. Default: none. */
  readonly fleets?: (() => readonly SharedDatabase[]) | undefined;
  /** The sessions of the page. Default: this process alone knows those that it has opened. */
  readonly sessions?: Sessions | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** For messages that belong only in the daemon's log. */
  readonly log: {
    error(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    info(fields: object, message: string): void;
  };
}

/** The jobs of this process. */
export interface JobList {
  /** `true` if the configuration has `jobs`: then each answer says which one it is about. */
  readonly named: boolean;
  /** All jobs, in the order of the configuration. */
  all(): readonly JobEntry[];
  find(name: string): JobEntry | undefined;
}

/** A job of this process. */
export interface JobEntry {
  readonly name: string;
  /** `null` as long as the job could not be opened. */
  readonly view: JobView | null;
  /** Why it could not be opened, why its changed configuration is not in force, or why it waits for another daemon; `null` if all is well. */
  readonly fault: JobFault | null;
}

export interface JobFault {
  /** One or more sentences. */
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** The accounts that are asked for. */
export interface AccountsQuery {
  /** All if absent. */
  readonly kinds?: readonly AccountKind[] | undefined;
  readonly activeOnly: boolean;
  /** A Lattice id; empty for the first page. */
  readonly after: string;
  readonly limit: number;
}

/** One job as HTTP sees it. */
export interface JobView extends WorkStarter {
  readonly name: string;
  /** Reads on its own thread. */
  readonly reader: StateStore;
  /** For the few numbers that are read of all jobs at once: hundreds of jobs must not mean hundreds of threads. */
  readonly glance: StateStore;
  /** The current schedule. */
  schedule(): Config["schedule"];
  readonly scheduler: Pick<Scheduler, "nextCronAt" | "intervalMs">;
  /** When leavers are looked for next between two cycles, milliseconds since the epoch; `null` if they are not, or it is not known. */
  nextLookAt(): number | null;
  /** How often leavers are looked for between two cycles, milliseconds; `null`: never. */
  looksEveryMs(): number | null;
  /** Why this daemon does nothing with the job until another one has ended; `null` if it does. */
  waitsFor(): JobFault | null;
  /** The refusal by Entra or Lattice because of which another daemon goes on with the job; `null` if there is none. */
  standsAside(): JobFault | null;
  readonly works: Works;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Pauses sending, also of a cycle under way. */
  pause(ordered: SendingPause): Promise<void>;
  /** Ends the pause. @returns `true` if sending was paused */
  resume(how: { readonly at: number; readonly by: Actor; readonly reason: string | null }): Promise<boolean>;
  /** Protects an account, also from a cycle under way. @throws UsageError */
  protect(order: ProtectionOrder): Promise<ProtectionOutcome>;
  /** Ends the protection of an account. @throws UsageError */
  unprotect(order: ProtectionOrder): Promise<ProtectionOutcome>;
  /**
   * Decides which account is a user's. @returns `busy` if another run holds the lease
   * @throws UsageError about the decision, what Lattice's answers throw
   */
  decideLink(request: LinkRequest, dryRun: boolean): Promise<LinkResult | "busy">;
  /** A page of accounts, each with whose it is. */
  accounts(query: AccountsQuery): ReturnType<typeof accountsPage>;
  /** The differences of the current configuration from that of the last cycle; `null` if there are none. */
  newConfiguration(notes: ConfigurationNotes): NewConfiguration | null;
  /** Everything known of one person. */
  explain(person: string): Promise<Explanation>;
  /** Graph properties and target paths that the current mapping redacts. */
  concealed(): readonly string[];
}
