import type { Clock } from "../domain/clock.ts";
import type { Delivery } from "../domain/event.ts";
import type { Logger } from "../domain/logger.ts";
import type { StateStore } from "../domain/state/store.ts";
import { sendNotification } from "./send.ts";
import type { NotifySettings, Receiver } from "./settings.ts";

export interface OutboxPorts {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: NotifySettings;
}

const dayMs = 24 * 60 * 60 * 1000;
const firstDelayMs = 60_000;
const longestDelayMs = 60 * 60_000;
/** Longer than one attempt can take: a process that holds a claim this long has died. */
const claimMs = 60_000;

/**
 * Sends each receiver its pending notifications, until none is due or `signal` aborts. It resolves even if a receiver fails.
 * Failed notifications are retried after a minute, then at growing intervals, for a day. Several processes may do this at the
 * same time.
 * @throws StateError if the store cannot be used
 */
export async function deliverEvents(ports: OutboxPorts, signal: AbortSignal): Promise<void> {
  const { store, settings } = ports;
  await store.addressEvents(settings.receivers);
  await Promise.all(settings.receivers.map((receiver) => notifyReceiver(ports, receiver, signal)));
}

async function notifyReceiver(ports: OutboxPorts, receiver: Receiver, signal: AbortSignal): Promise<void> {
  const { store, clock, settings } = ports;
  while (!signal.aborted) {
    const now = clock.now();
    const delivery = await store.claimDelivery(receiver.name, now, {
      claimMs,
      longestWaitMs: dayMs,
    });
    if (delivery === null) return;
    if (delivery.attempts > 0 && now - delivery.kept.at > dayMs) {
      await giveUp(ports, delivery);
      continue;
    }
    const { instance, job, dashboard } = settings;
    const answer = await sendNotification(receiver, delivery.kept, { instance, job, dashboard, now }, signal);
    await store.settleDelivery(delivery, answer.ok ? null : nextTry(delivery, clock.now(), answer));
    say(ports, delivery, answer);
  }
}

/** When a failed attempt is repeated, milliseconds since the epoch. */
function nextTry({ attempts }: Delivery, now: number, answer: { retryAfterMs?: number }): number {
  const delayMs = Math.min(firstDelayMs * 2 ** attempts, longestDelayMs);
  return now + Math.max(delayMs, answer.retryAfterMs ?? 0);
}

async function giveUp({ store, log }: OutboxPorts, delivery: Delivery): Promise<void> {
  await store.settleDelivery(delivery, null);
  log.warn(
    { receiver: delivery.receiver, event: delivery.kept.event.kind, id: delivery.kept.id },
    "notification given up: the receiver did not accept it for a day; test it with notify test",
  );
}

function say(
  { log }: OutboxPorts,
  { receiver, kept, attempts }: Delivery,
  answer: { ok: boolean; detail: string },
) {
  const fields = { receiver, event: kept.event.kind, id: kept.id };
  if (answer.ok) log.info(fields, "notification sent");
  else if (attempts === 0) {
    log.warn({ ...fields, answer: answer.detail }, "notification not accepted; it is tried again for a day");
  } else log.debug({ ...fields, answer: answer.detail }, "notification not accepted again");
}
