import { InterruptedError } from "../../domain/errors.ts";
import type { LoggedOperation, OperationOutcome } from "../../domain/operation.ts";
import type { Action } from "../../domain/plan.ts";
import type { CycleContext } from "../context/context.ts";
import { isHopeless } from "../health/quarantine.ts";
import { refusalSentence } from "../health/refused-kinds.ts";
import { isTemporaryName } from "../operations/temporary-name.ts";
import { namesIn } from "../planning/rename-order.ts";
import { managerSetBy, type Recorder } from "./recorder.ts";
import { referencesTouched } from "./references.ts";
import { send } from "./send.ts";
import { leavers, type Stage } from "./stages.ts";

/** Sends operations, a fixed number at a time, and records their outcomes. */
export interface Run {
  /** Starts an operation when fewer than the allowed number are out. If it must not be sent any more, it is put back. */
  start(operation: LoggedOperation): Promise<void>;
  /** Resolves when every operation that was started has its outcome recorded. */
  drain(): Promise<void>;
  /** `true` if the run is stopped, or has given up a stage because almost nothing succeeds. Leavers are never given up. */
  isOver(stage: Stage): boolean;
  throwIfStopped(): void;
  readonly halfRenamed: readonly string[];
  /** Outcomes that count for the quarantine: without people who failed before and without refused kinds. */
  readonly telling: { readonly done: number; readonly failed: number };
}

export function createRun(context: CycleContext, recorder: Recorder, total: number): Run {
  const inFlight = new Map<string, Promise<void>>();
  /** By userName: the operation under way that frees it. */
  const freeing = new Map<string, Promise<void>>();
  const halfRenamed: string[] = [];
  /** Resolves when the next operation under way has ended. `Promise.race` would add a reaction to each of them, with each wait. */
  let nextEnd: PromiseWithResolvers<void> | null = null;
  let stop: unknown = null;
  let hopeless = false;
  const telling = { done: 0, failed: 0 };
  let finished = 0;

  const stopped = (): unknown => {
    if (stop === null && context.signal.aborted) stop = interrupted(context.signal);
    return stop;
  };
  const sentenceOf = (action: Action): string | undefined => {
    const kind = [...context.kinds.refused().values()].find((one) => one.action === action);
    return kind === undefined ? undefined : refusalSentence(kind);
  };
  const isHopelessFor = (operation: LoggedOperation): boolean => {
    hopeless ||= isHopeless(telling);
    return hopeless && operation.action !== "deactivate";
  };
  const count = (outcome: OperationOutcome, kindRefused: boolean): void => {
    if (outcome.status === "done") telling.done += 1;
    const before = (outcome.retry?.attempts ?? 1) > 1;
    if (outcome.status === "failed" && !before && !kindRefused) telling.failed += 1;
  };
  /** @param begun a request may be out, so the intent stays and the next cycle looks it up */
  const putBack = (operation: LoggedOperation, begun: boolean, error?: string): void => {
    recorder.record(operation, {
      operationId: operation.id,
      objectId: operation.objectId,
      status: "cancelled",
      referencePending: false,
      unknown: begun,
      error,
      finishedAt: context.clock.now(),
    });
  };
  /** Sends an operation. If its kind is refused, the retry is due at once: the next cycle tries a few people of that kind. */
  const sendAndJudge = async (
    operation: LoggedOperation,
  ): Promise<{ outcome: OperationOutcome; kindRefused: boolean }> => {
    const outcome = await send(context, recorder, operation);
    const before = context.kinds.isRefused(operation.action);
    const kindRefused = context.kinds.note(operation.action, outcome);
    if (!before && context.kinds.isRefused(operation.action)) {
      context.log.warn(
        { action: operation.action, status: outcome.httpStatus },
        sentenceOf(operation.action) ?? "",
      );
    }
    const { retry } = outcome;
    if (!kindRefused || retry === undefined) return { outcome, kindRefused };
    return { outcome: { ...outcome, retry: { ...retry, nextTryAt: outcome.finishedAt } }, kindRefused };
  };
  const perform = async (operation: LoggedOperation): Promise<void> => {
    try {
      // Wait for the manager's operation, which may create the account, and for the operation that frees the userName. Only
      // operations that began earlier are awaited; otherwise two people who swap names would wait for each other for ever.
      const manager = managerSetBy(operation);
      const name = namesIn(operation.changes).given;
      const earlier = [
        manager === null ? undefined : inFlight.get(manager),
        name === undefined ? undefined : freeing.get(name),
      ];
      await Promise.all(earlier);
      if (stopped() !== null) {
        putBack(operation, false);
        return;
      }
      const { outcome, kindRefused } = await sendAndJudge(operation);
      // If Lattice refuses a kind of operation, the key is not at fault.
      const fault = kindRefused ? null : await context.host.wrote(outcome);
      // If the fault is with the host or the key, the operation is put back and does not count as the person's failure.
      if (fault === null || outcome.status === "done") {
        count(outcome, kindRefused);
        recorder.record(operation, {
          ...outcome,
          readAgain: referencesTouched(operation.changes, outcome.target, context.settings.mapping),
        });
      } else {
        putBack(operation, true);
      }
      if (outcome.status === "done" && isTemporaryName(namesIn(operation.changes).given)) {
        halfRenamed.push(operation.objectId);
      }
      stop ??= fault;
      if (fault !== null) return;
      if (outcome.status === "failed") {
        context.log.warn(
          { objectId: operation.objectId, action: operation.action, code: outcome.retry?.code },
          "operation failed",
        );
        context.log.debug({ objectId: operation.objectId, error: outcome.error }, "why it failed");
      }
    } catch (error) {
      putBack(operation, true);
      stop ??= context.signal.aborted ? interrupted(context.signal) : error;
    } finally {
      finished += 1;
      context.onProgress?.({ phase: "sending", done: finished, total });
    }
  };

  return {
    start: async (operation) => {
      while (inFlight.size >= context.settings.concurrency) {
        nextEnd ??= Promise.withResolvers();
        await nextEnd.promise;
      }
      const refused = context.kinds.isRefused(operation.action);
      if (refused || stopped() !== null || isHopelessFor(operation)) {
        putBack(operation, false, refused ? sentenceOf(operation.action) : undefined);
        return;
      }
      const { freed } = namesIn(operation.changes);
      const ended = (): void => {
        inFlight.delete(operation.objectId);
        if (freed !== undefined && freeing.get(freed) === task) freeing.delete(freed);
        nextEnd?.resolve();
        nextEnd = null;
      };
      const task = perform(operation).then(ended, (error: unknown) => {
        stop ??= error;
        ended();
      });
      inFlight.set(operation.objectId, task);
      if (freed !== undefined) freeing.set(freed, task);
    },
    drain: async () => {
      await Promise.all(inFlight.values());
    },
    isOver: (stage) => {
      hopeless ||= isHopeless(telling);
      return (hopeless && stage !== leavers) || stopped() !== null;
    },
    telling,
    throwIfStopped: () => {
      const reason = stopped();
      if (reason !== null) throw reason;
    },
    halfRenamed,
  };
}

/** The error with which a stopped run ends. */
export function interrupted(signal: AbortSignal): unknown {
  return signal.reason instanceof Error && signal.reason.name !== "AbortError"
    ? signal.reason
    : new InterruptedError("the run was stopped; everything that was sent is recorded");
}
