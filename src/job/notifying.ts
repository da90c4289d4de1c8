import type { CycleResult } from "../cycle/run.ts";
import { LeaseHeldError } from "../domain/errors.ts";
import type { CredentialExpiry } from "../domain/event.ts";
import type { StateStore } from "../domain/store.ts";
import type { Session } from "./job.ts";
import { leaveMetrics } from "./run-metrics.ts";
import { sayEvent } from "./say-event.ts";

/** How a run ended, for the ping: `none` where that says nothing of the job (another run's lease, interrupted, one person). */
type Ended = "good" | "bad" | "none";

/** What a one-shot run gives its notifications at its end; the rest is told by the next run. */
const oneShotMs = 5_000;
const lookUpMs = 3_000;
const tickMs = 30_000;
/** What a daemon that is stopped gives them. */
const farewellMs = 3_000;

/**
 * Runs one cycle of a command, reports it, and tells of it afterwards. Whatever receivers do, the result is the run's own.
 * @throws what `run` and `report` throw
 */
export async function toldAfterwards<T extends Pick<CycleResult, "mostFailed">>(
  session: Session,
  store: StateStore,
  request: { readonly only?: readonly string[] | undefined; readonly signal: AbortSignal },
  run: () => Promise<T>,
  report: (result: T) => Promise<void>,
): Promise<T> {
  let ended: Ended = "none";
  let good = false;
  let ran = true;
  try {
    const result = await run();
    if (request.only === undefined) ended = endOf(result);
    await report(result);
    good = result.mostFailed === null;
    return result;
  } catch (error) {
    ran = !(error instanceof LeaseHeldError);
    if (ended === "none" && request.only === undefined) ended = endOfError(error, request.signal);
    throw error;
  } finally {
    if (!request.signal.aborted) {
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(oneShotMs)]);
      await quietly(session, async () => {
        await Promise.all([
          sendPing(session, ended, signal),
          tell(session, store, signal),
          ran ? leaveMetrics(session, store, good, signal) : undefined,
        ]);
      });
    }
  }
}

/** Tells of what a daemon's cycles do, beside them. */
export interface Teller {
  /** Notes that a cycle ended; returns at once. `result`: a cycle's, or what was thrown. */
  cycleEnded(result: Pick<CycleResult, "mostFailed"> | { readonly error: unknown }): void;
  /** Another session is in force: silence by its schedule begins now at the earliest. */
  reconfigured(): void;
  /** Ends the telling, after a few seconds for what is on its way. */
  stop(): Promise<void>;
}

/** Starts telling: at the end of each cycle, and twice a minute what is due again. @param current the session in force */
export async function startTeller(
  current: () => Session,
  store: StateStore,
  signal: AbortSignal,
): Promise<Teller> {
  const { clock, log } = current();
  const [{ beginWatch, checkSilence }, { silenceDeadline }] = await Promise.all([
    import("../notify/silence.ts"),
    import("./deadline.ts"),
  ]);
  const deadline = (from: number): number => {
    const { schedule, notify } = current().config;
    return silenceDeadline(schedule, notify.silentAfter, from);
  };
  await beginWatch({ store, clock, deadline });
  let ownDeadline = deadline(clock.now());
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();
  let telling = false;
  let again = false;

  const start = (work: () => Promise<void>): void => {
    const promise = quietly(current(), work).finally(() => underWay.delete(promise));
    underWay.add(promise);
  };
  const tellNow = (silentFrom: number): void => {
    if (stopping.signal.aborted) return;
    again ||= telling;
    if (telling) return;
    telling = true;
    start(async () => {
      try {
        const silence = await checkSilence({ store, clock }, silentFrom);
        if (silence !== null) sayEvent(log, silence);
        await tell(current(), store, stopping.signal);
      } finally {
        telling = false;
      }
      if (again) {
        again = false;
        tellNow(ownDeadline);
      }
    });
  };
  const timer = setInterval(() => tellNow(ownDeadline), tickMs);

  return {
    cycleEnded: (result) => {
      const ended = "error" in result ? endOfError(result.error, signal) : endOf(result);
      start(async () => {
        await sendPing(current(), ended, stopping.signal);
      });
      // A daemon that was off for long is judged by its first cycle, not before.
      tellNow(0);
    },
    reconfigured: () => {
      ownDeadline = deadline(clock.now());
    },
    stop: async () => {
      clearInterval(timer);
      const limit = setTimeout(() => stopping.abort(), farewellMs);
      await Promise.all(underWay);
      clearTimeout(limit);
      stopping.abort();
    },
  };
}

/** Notes a cycle of everybody that ended well, from which silence is counted. */
export async function noteGood(session: Session, store: StateStore): Promise<void> {
  const { clock, config } = session;
  const [{ noteGoodCycle }, { silenceDeadline }] = await Promise.all([
    import("../notify/silence.ts"),
    import("./deadline.ts"),
  ]);
  const event = await noteGoodCycle({
    store,
    clock,
    deadline: (from) => silenceDeadline(config.schedule, config.notify.silentAfter, from),
  });
  if (event !== null) sayEvent(session.log, event);
}

function endOf({ mostFailed }: Pick<CycleResult, "mostFailed">): Ended {
  return mostFailed === null ? "good" : "bad";
}

function endOfError(error: unknown, signal: AbortSignal): Ended {
  return error instanceof LeaseHeldError || signal.aborted ? "none" : "bad";
}

/** Everything that is due: the digest, credentials, and what receivers have not been told. */
async function tell(session: Session, store: StateStore, signal: AbortSignal): Promise<void> {
  const { clock, config, log, notify: settings } = session;
  const [{ deliver }, { digestFailures }, { checkExpiry }] = await Promise.all([
    import("../notify/outbox.ts"),
    import("../notify/digest.ts"),
    import("../notify/expiry.ts"),
  ]);
  const digest = await digestFailures({ store, clock }, config.notify.digestAt);
  if (digest !== null) sayEvent(log, digest);
  const ports = { store, clock, log, settings };
  const [expiring] = await Promise.all([
    checkExpiry({ store, clock }, config.notify.expiryDays, () => readExpiry(session, signal)),
    deliver(ports, signal),
  ]);
  for (const event of expiring) sayEvent(log, event);
  if (expiring.length > 0) await deliver(ports, signal);
}

/** When the credentials in use end, as far as anybody says; a fault is no matter here, signing in meets it too. */
async function readExpiry(session: Session, signal: AbortSignal): Promise<readonly CredentialExpiry[]> {
  const { entra, lattice, log } = session;
  const { certificateExpiry, tokenExpiry } = await import("../notify/expiry.ts");
  const found = [tokenExpiry(lattice.token.reveal())];
  if (entra.credential.kind === "clientCertificate") found.push(certificateExpiry(entra.credential.path));
  if (entra.credential.kind === "clientSecret") {
    try {
      const source = await session.source();
      const limit = AbortSignal.any([signal, AbortSignal.timeout(lookUpMs)]);
      found.push(...(await source.readSecretExpiry(limit)));
    } catch (error) {
      log.debug({ error: sentence(error) }, "the expiry date of the client secret could not be read");
    }
  }
  return found.filter((one) => one !== null);
}

async function sendPing({ notify, clock, log }: Session, ended: Ended, signal: AbortSignal): Promise<void> {
  if (notify.ping === null || ended === "none") return;
  const { ping } = await import("../notify/ping.ts");
  const answer = await ping(notify.ping, ended, clock, signal);
  if (answer?.ok === false) log.warn({ answer: answer.detail }, "the ping was not accepted");
}

/** Telling is never a reason for a run to fail. */
async function quietly({ log }: Session, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.warn({ error: sentence(error) }, "notifications failed; they are tried again");
  }
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
