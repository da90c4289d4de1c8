import type { StateStore } from "../domain/state/store.ts";
import { silenceDeadline } from "../job/deadline.ts";
import type { Job, Notifier } from "../job/job.ts";
import { notifyOfWhatIsDue, quietly, sendPing } from "../job/notifying.ts";
import { sayEvent } from "../job/say-event.ts";
import { beginWatch, checkSilence } from "../notify/silence.ts";

const tickMs = 30_000;
/** With many jobs, each is looked at less often: four jobs a second in total. */
const tickMsOfEachJob = 250;
/** The longest time that a stopping daemon waits for notifications that are being sent. */
const farewellMs = 3_000;

/** Sends a daemon's notifications while its cycles go on. */
export interface DaemonNotifier extends Notifier {
  /** Call when another configuration is in force: silence is then counted by its schedule, from now at the earliest. */
  reconfigured(): void;
  /** Stops, after a few seconds for notifications that are being sent. */
  stop(): Promise<void>;
}

/**
 * Starts to notify: at the end of each cycle, and twice a minute about what is due then (with more than 120 jobs, less often).
 * @param current the job in force
 * @param jobs how many jobs the process has
 * @param waits `true` while another daemon has the job, for another company: then nothing is sent
 */
export async function startNotifier(
  current: () => Job,
  store: StateStore,
  jobs: () => number,
  waits: () => boolean,
): Promise<DaemonNotifier> {
  const { clock, log } = current();
  const deadline = (from: number): number => {
    const { schedule, notify } = current().config;
    return silenceDeadline(schedule, notify.silentAfter, from);
  };
  await beginWatch({ store, clock, deadline });
  let ownDeadline = deadline(clock.now());
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();
  let notifying = false;
  let again = false;

  const start = (work: () => Promise<void>): void => {
    const promise = quietly(current(), work).finally(() => underWay.delete(promise));
    underWay.add(promise);
  };
  const notifyNow = (silentFrom: number): void => {
    if (stopping.signal.aborted || waits()) return;
    again ||= notifying;
    if (notifying) return;
    notifying = true;
    start(async () => {
      try {
        const silence = await checkSilence({ store, clock }, silentFrom);
        if (silence !== null) sayEvent(log, silence);
        await notifyOfWhatIsDue(current(), store, stopping.signal);
      } finally {
        notifying = false;
      }
      if (again) {
        again = false;
        notifyNow(ownDeadline);
      }
    });
  };
  let timer: NodeJS.Timeout | undefined;
  const tickLater = (): void => {
    timer = setTimeout(
      () => {
        notifyNow(ownDeadline);
        tickLater();
      },
      Math.max(tickMs, tickMsOfEachJob * jobs()),
    );
  };
  tickLater();

  return {
    // Returns at once, because a cycle does not wait for its notifications.
    ended: async ({ ping }) => {
      start(() => sendPing(current(), ping, stopping.signal));
      // A daemon that was off for a long time is judged by its first cycle, not earlier.
      notifyNow(0);
    },
    reconfigured: () => {
      ownDeadline = deadline(clock.now());
    },
    stop: async () => {
      clearTimeout(timer);
      const limit = setTimeout(() => stopping.abort(), farewellMs);
      await Promise.all(underWay);
      clearTimeout(limit);
      stopping.abort();
    },
  };
}
