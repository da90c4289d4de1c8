import { errorText } from "../domain/errors.ts";
import type { CredentialExpiry } from "../domain/event.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { Ending, Job, Notifier } from "./job.ts";
import { leaveMetrics } from "./run-metrics.ts";
import { sayEvent } from "./say-event.ts";

/** The time that a single run spends on notifications at its end. The next run sends the rest. */
const oneShotMs = 5_000;
const lookUpMs = 3_000;

/**
 * Sends the notifications that are due at the end of a command's run, within a few seconds, and writes its metrics.
 * @param how `metrics`: `false` for a look for leavers. With its metrics, the last cycle would seem to be as recent, and as good, as the look
 */
export function notifyAtTheEnd(
  job: Job,
  store: StateStore,
  how: { readonly metrics: boolean } = { metrics: true },
): Notifier {
  return {
    ended: async ({ ping, ran, good }, interrupted) => {
      if (interrupted.aborted) return;
      const signal = AbortSignal.any([interrupted, AbortSignal.timeout(oneShotMs)]);
      await quietly(job, async () => {
        await Promise.all([
          sendPing(job, ping, signal),
          notifyOfWhatIsDue(job, store, signal),
          ran && how.metrics ? leaveMetrics(job, store, good, signal) : undefined,
        ]);
      });
    },
  };
}

/** Notes the end of a good cycle of everybody; the time without one is counted from there. */
export async function noteGood(job: Job, store: StateStore): Promise<void> {
  const { clock, config, log } = job;
  const [{ noteGoodCycle }, { silenceDeadline }] = await Promise.all([
    import("../notify/silence.ts"),
    import("./deadline.ts"),
  ]);
  const event = await noteGoodCycle({
    store,
    clock,
    deadline: (from) => silenceDeadline(config.schedule, config.notify.silentAfter, from),
  });
  if (event !== null) sayEvent(log, event);
}

/** Sends everything that is due: the digest, warnings about credentials, and deliveries that failed before. */
export async function notifyOfWhatIsDue(job: Job, store: StateStore, signal: AbortSignal): Promise<void> {
  const { clock, config, log, notify: settings } = job;
  const [{ deliverEvents }, { digestFailures }, { checkExpiry }] = await Promise.all([
    import("../notify/outbox.ts"),
    import("../notify/digest.ts"),
    import("../notify/expiry.ts"),
  ]);
  const digest = await digestFailures({ store, clock }, config.notify.digestAt);
  if (digest !== null) sayEvent(log, digest);
  const ports = { store, clock, log, settings };
  const [expiring] = await Promise.all([
    checkExpiry({ store, clock }, config.notify.expiryDays, () => readExpiry(job, signal)),
    deliverEvents(ports, signal),
  ]);
  for (const event of expiring) sayEvent(log, event);
  if (expiring.length > 0) await deliverEvents(ports, signal);
}

/** When the credentials expire, if known. Errors are ignored here: signing in reports them. */
async function readExpiry(job: Job, signal: AbortSignal): Promise<readonly CredentialExpiry[]> {
  const { entra, lattice, log } = job;
  const { certificateExpiry, tokenExpiry } = await import("../notify/expiry.ts");
  const found = [tokenExpiry(lattice.token.reveal())];
  if (entra.credential.kind === "clientCertificate") found.push(certificateExpiry(entra.credential.path));
  if (entra.credential.kind === "clientSecret") {
    try {
      const source = await job.source();
      const limit = AbortSignal.any([signal, AbortSignal.timeout(lookUpMs)]);
      found.push(...(await source.readSecretExpiry(limit)));
    } catch (error) {
      log.debug({ error: errorText(error) }, "the expiry date of the client secret could not be read");
    }
  }
  return found.filter((one) => one !== null);
}

/** Pings the address that watches the job, if there is one. */
export async function sendPing(
  { notify, clock, log }: Job,
  ending: Ending["ping"],
  signal: AbortSignal,
): Promise<void> {
  if (notify.ping === null || ending === "none") return;
  const { ping } = await import("../notify/ping.ts");
  const answer = await ping(notify.ping, ending, clock, signal);
  if (answer?.ok === false) log.warn({ answer: answer.detail }, "the ping was not accepted");
}

/** Does `work`, and only logs its error: a run must not fail because of a notification. */
export async function quietly({ log }: Job, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.warn({ error: errorText(error) }, "notifications failed; they are tried again");
  }
}
