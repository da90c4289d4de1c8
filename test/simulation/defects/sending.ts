import type { CycleContext } from "../../../src/cycle/context/context.ts";
import type { OperationOutcome } from "../../../src/domain/operation.ts";
import { type Defect, swap, swapInner, swapStore } from "./defect.ts";

// Faults in what is sent, and in what is concluded from an answer or from none.

type Delivery = { readonly refusal?: unknown };

/** The answer to a create is believed, whatever account it shows. */
const answerIsBelieved = swapInner<(...terms: readonly unknown[]) => Promise<Delivery>>(
  "cycle/sending/create.ts",
  "madeOrMet",
  () =>
    async (...terms) =>
      ({ receipt: terms[4], link: null }) as Delivery,
);

export const sendingDefects: readonly Defect[] = [
  {
    name: "a create without an answer is sent again without a look-up",
    seed: 2,
    history: 40,
    swaps: [
      swapInner<(context: CycleContext, operation: unknown, cause: Error) => Promise<readonly unknown[]>>(
        "cycle/sending/create.ts",
        "lookUpCreated",
        (original) => async (context, operation, cause) =>
          cause.constructor.name === "UnknownOutcomeError" ? [] : original(context, operation, cause),
      ),
    ],
  },
  {
    name: "what is about to be sent is not on the disk before it is sent",
    seed: 1,
    history: 1,
    family: "power-cuts",
    swaps: [
      swap("cycle/sending/keep-outcomes.ts", "keepOutcomes", (original) => (context, ended, begin) => {
        const { store } = context;
        const commit: typeof store.commit = (change, fence) =>
          store.commit({ ...change, mayBeLost: true }, fence);
        const hasty = new Proxy(store, {
          get: (_, property) => (property === "commit" ? commit : Reflect.get(store, property)),
        });
        return original({ ...context, store: hasty }, ended, begin);
      }),
    ],
  },
  {
    name: "nothing notes what is about to be sent",
    seed: 1,
    history: 25,
    swaps: [
      swapStore(({ commit }) => ({
        commit: ({ intents, ...change }, fence) =>
          commit(
            { ...change, ...(intents?.end === undefined ? {} : { intents: { end: intents.end } }) },
            fence,
          ),
      })),
    ],
  },
  {
    name: "unconfirmed writes of a killed run are not looked up",
    seed: 1,
    history: 48,
    swaps: [
      swap("cycle/sending/recover.ts", "recoverIntents", () => async ({ store, fence }) => {
        const end = (await store.openIntents()).map(({ objectId }) => objectId);
        await store.commit({ intents: { end } }, fence);
      }),
    ],
  },
  {
    name: "a write that failed counts as done",
    seed: 4,
    history: 39,
    swaps: [
      swap("cycle/sending/send.ts", "send", (original) => async (...terms) => {
        const { retry, ...outcome } = await original(...terms);
        return outcome.status === "failed" ? { ...outcome, status: "done" } : { ...outcome, retry };
      }),
    ],
  },
  {
    name: "who failed is not looked at again",
    seed: 3,
    history: 141,
    swaps: [
      swap("cycle/pictures/outcomes.ts", "foldOutcomes", (original) => (known, ended, readIn) => {
        const forgotten = ended.map(({ operation, outcome: { retry: _, ...outcome } }) => ({
          operation,
          outcome,
        }));
        return original(known, forgotten, readIn);
      }),
    ],
  },
  {
    name: "somebody who left keeps the account when the new userName is refused",
    seed: 2,
    history: 569,
    swaps: [
      swapInner<(...terms: readonly unknown[]) => Promise<null>>(
        "cycle/sending/switch-off-alone.ts",
        "switchOffAlone",
        () => async () => null,
      ),
    ],
  },
  {
    name: "a run that is told to stop goes on",
    seed: 3,
    history: 58,
    swaps: [
      swapInner<(context: CycleContext, ...rest: readonly unknown[]) => unknown>(
        "cycle/sending/run.ts",
        "createRun",
        (original) =>
          (context, ...rest) =>
            original({ ...context, signal: new AbortController().signal }, ...rest),
      ),
    ],
  },
  {
    name: "an update is taken for granted where no answer came",
    seed: 4,
    history: 3,
    swaps: [
      swapInner<(...terms: readonly unknown[]) => Promise<Partial<OperationOutcome>>>(
        "cycle/sending/failure.ts",
        "failed",
        (original) =>
          async (...terms) => ({ ...(await original(...terms)), unknown: false }),
      ),
    ],
  },
  {
    name: "a dry run sends",
    seed: 3,
    history: 0,
    swaps: [
      swap(
        "cycle/cycle.ts",
        "runCycle",
        (original) => (ports, request) => original(ports, { ...request, dryRun: false }),
      ),
    ],
  },
  {
    name: "an account that did not take everything is not linked",
    seed: 1,
    history: 263,
    swaps: [
      swapInner<(...terms: readonly unknown[]) => Promise<Delivery>>(
        "cycle/sending/create.ts",
        "complete",
        (original) =>
          async (...terms) => {
            const delivery = await original(...terms);
            if (delivery.refusal !== undefined) throw delivery.refusal;
            return delivery;
          },
      ),
    ],
  },
  {
    name: "the reports of somebody who was switched off are not read again",
    seed: 1,
    history: 24,
    family: "reporting-lines",
    swaps: [
      swap(
        "cycle/sending/references.ts",
        "referencesTouched",
        (original) =>
          (...terms) =>
            original(...terms).filter(({ which }) => which !== "reports"),
      ),
    ],
  },
  {
    name: "the own account of somebody who was switched off is not read again",
    seed: 3,
    history: 23,
    family: "reporting-lines",
    swaps: [
      swap(
        "cycle/sending/references.ts",
        "referencesTouched",
        (original) =>
          (...terms) =>
            original(...terms).filter(({ which }) => which !== "account"),
      ),
    ],
  },
  {
    name: "what a deactivated manager came to is still acknowledged when the account is active again",
    seed: 3,
    history: 23,
    family: "reporting-lines",
    swaps: [
      swapInner<<Entries>(entries: Entries) => Entries>(
        "cycle/pictures/accounts.ts",
        "withoutPaths",
        () => (entries) => entries,
      ),
    ],
  },
  {
    name: "a refused manager whose account is deactivated is sent again in every cycle",
    seed: 2,
    history: 10,
    family: "reporting-lines",
    swaps: [
      swapInner<(...terms: readonly unknown[]) => Promise<null>>(
        "cycle/sending/refused-manager.ts",
        "withoutRefusedManager",
        () => async () => null,
      ),
    ],
  },
  {
    name: "the first look-up of a write in doubt waits for the retry of the write, and the next write does not wait for it",
    seed: 15101,
    history: 8170,
    swaps: [
      swap("cycle/sending/recover.ts", "recoverIntents", (original) => (context) => {
        const { store } = context;
        const retryOf: typeof store.retryOf = async (objectId) => {
          const retry = await store.retryOf(objectId);
          const message = "Lattice did not confirm an earlier write, and the look-up failed";
          return retry === null ? null : { ...retry, message };
        };
        return original({ ...context, store: { ...store, retryOf } });
      }),
      swapInner<(person: unknown, plan: { readonly kind: string }) => unknown>(
        "cycle/planning/plan-person.ts",
        "doubtNotice",
        (original) => (person, plan) => (plan.kind === "operation" ? null : original(person, plan)),
      ),
    ],
  },
  {
    name: "a manager whom Lattice took away in a deactivation in doubt counts as taken away by hand",
    seed: 20_022,
    history: 622,
    family: "reporting-lines",
    swaps: [
      swapInner<(...terms: readonly unknown[]) => ReadonlySet<string>>(
        "cycle/pictures/accounts.ts",
        "emptiedInDoubt",
        () => () => new Set(),
      ),
    ],
  },
  {
    name: "who gets a userName does not wait until it is free",
    seed: 2,
    history: 124,
    family: "names",
    swaps: [
      swap("cycle/planning/rename-order.ts", "namesIn", (original) => (changes) => {
        const { given, freed } = original(changes);
        // The step to a temporary name is known by that name.
        const kept = given === undefined || freed === undefined || given.startsWith("als-rename-");
        return kept ? original(changes) : { freed };
      }),
    ],
  },
  {
    name: "an account that a create meets is taken by its name, whatever the matching",
    seed: 4,
    history: 42,
    family: "matching-orders",
    swaps: [
      swap(
        "cycle/sending/existing-account.ts",
        "meetAccounts",
        (original) => async (context, operation, found, writes) => {
          const [account] = found;
          return account === undefined ? original(context, operation, found, writes) : { account, writes };
        },
      ),
    ],
  },
  {
    name: "an answer that contradicts what was sent is believed",
    seed: 1,
    history: 5,
    family: "odd-answers",
    swaps: [
      swapInner<(...terms: readonly unknown[]) => readonly string[]>(
        "cycle/sending/confirm.ts",
        "doubtfulPaths",
        () => () => [],
      ),
    ],
  },
  {
    name: "a stranger's account that a create is answered with is linked",
    seed: 1,
    history: 11,
    family: "odd-answers",
    swaps: [
      swapInner<(...terms: readonly unknown[]) => Promise<null>>(
        "cycle/sending/create.ts",
        "strangerIn",
        () => async () => null,
      ),
      answerIsBelieved,
    ],
  },
  {
    name: "an older account with the same userName that a create is answered with is linked",
    seed: 15101,
    history: 1368,
    family: "odd-answers",
    swaps: [answerIsBelieved],
  },
  {
    name: "an account that was made although a stranger's was shown is not looked up",
    seed: 1,
    history: 11,
    family: "odd-answers",
    swaps: [
      swapInner<(...terms: readonly unknown[]) => Promise<Delivery>>(
        "cycle/sending/create.ts",
        "madeBeside",
        () =>
          async (...terms) => {
            throw terms[4];
          },
      ),
    ],
  },
  {
    name: "an active that an answer does not show is taken for false",
    seed: 4,
    history: 44,
    family: "odd-answers",
    swaps: [
      swap("cycle/sending/confirm.ts", "confirm", (original) => async (context, known, writes, receipt) => {
        const confirmed = await original(context, known, writes, receipt);
        return receipt.user.active === null
          ? { ...confirmed, user: { ...confirmed.user, active: false } }
          : confirmed;
      }),
    ],
  },
];
