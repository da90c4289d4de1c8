import type { StateStore } from "../../../src/domain/state/store.ts";
import { accountRow, operationRow, personRow, plannedRow } from "../contract/rows.ts";

/** Texts that one of the stores keeps in another form than it is given. */
const oddTexts = [
  "a\0b",
  "\u001a0000",
  "\u001a",
  "😀".repeat(3_000),
  'q"u\\ote\n',
  "\\u0000",
  "İ%_é",
  "__proto__",
];
/** Half of a surrogate pair, and what else JSON can hold but no column of text. */
const oddValues = ["\ud800", "x\udfff\0", ...oddTexts];

const summary = { create: 1, update: 2, deactivate: 3, reactivate: 4, link: 5, unchanged: 6, skipped: 7 };

/** Writes at least one row of everything that a state can hold, with texts that are hard to keep. */
export async function writeEverything(store: StateStore): Promise<void> {
  const old = await store.beginCycle({ planId: "plan-1", kind: "initial", startedAt: 1 }, "private");
  const cycleId = await store.beginCycle({ planId: "plan-\0", kind: "incremental", startedAt: 9 }, "private");
  const people = oddTexts.map((text, index) => ({ id: `p${index}${text.slice(0, 40)}`, text, index }));
  const values = Object.fromEntries(
    oddValues.flatMap((value, index) => [
      [`v${index}`, value],
      [value.slice(0, 20), index],
    ]),
  );
  await store.commit(
    {
      people: {
        readIn: old,
        put: people.map(({ id, text, index }) =>
          personRow(id, {
            attributes: {
              userPrincipalName: text,
              accountEnabled: index % 2 === 0,
              nested: [values, null, 1.5],
            },
            managerId: index === 0 ? null : (people[0]?.id ?? null),
            presence: index === 1 ? "softDeleted" : "present",
            ...(index === 2 ? { unshown: [text] } : {}),
            userNameKey: text.toLowerCase(),
            externalIdKey: index === 3 ? null : text,
            alwaysInScope: index === 4,
          }),
        ),
      },
    },
    "private",
  );
  await store.commit(
    {
      accounts: {
        put: people.map(({ id, text, index }) =>
          accountRow(`l-${id}`, index === 5 ? null : id, {
            userName: text,
            externalId: index === 1 ? null : text,
            active: index === 2 ? null : index !== 3,
            values,
            acknowledged: index === 4 ? { [text]: { sent: text, observed: values, refused: true } } : {},
            drifted: index === 5 ? values : {},
            readAgain: index === 6 ? [text] : null,
            missingSince: index === 7 ? 12 : null,
          }),
        ),
      },
      lostLinks: {
        put: people.slice(0, 2).map(({ id, text, index }) => ({
          latticeId: `lost-${id}`,
          objectId: id,
          externalId: index === 0 ? null : text,
          userName: text,
          missingSince: 3,
          dissolvedAt: 4,
          reason: text,
        })),
      },
      accountRemoved: people.slice(1, 2).map(({ id }) => ({ objectId: id, removed: true })),
      moves: people.flatMap(({ id, text }) => [
        { objectId: id, entered: true },
        { objectId: id, entered: true, group: text },
      ]),
      operations: {
        add: people.flatMap(({ id, text, index }) => [
          { ...operationRow(index === 0 ? old : cycleId, id, { after: text }), wave: index },
          { ...operationRow(cycleId, id), status: "held" as const, weights: [{ kind: "rename" as const }] },
        ]),
      },
    },
    "private",
  );
  await writeDecisions(store, cycleId, people);
  await writeOutcomes(store, cycleId, people);
}

type People = readonly { readonly id: string; readonly text: string; readonly index: number }[];

async function writeDecisions(store: StateStore, cycleId: number, people: People): Promise<void> {
  const [first, second] = people;
  if (first === undefined || second === undefined) throw new Error("there are people");
  const change = { attribute: first.text, fingerprint: second.text, planId: "plan-1" };
  await store.commit(
    {
      planned: people.map(({ id, text, index }) =>
        plannedRow(id, {
          planAgain: index % 2 === 0,
          awaitsManager: index === 1,
          skip: index === 3 ? { code: "disabled", reason: text } : null,
          lookAgainAt: index === 4 ? 99 : null,
        }),
      ),
      managerFound: [first.id],
      leaving: [
        {
          objectId: first.id,
          events: new Map([
            ["disabled", 5],
            ["outOfScope", 6],
          ]),
        },
      ],
      decision: {
        planId: "plan-1",
        at: 7,
        by: { kind: "cli", name: first.text },
        reason: second.text,
        people: { released: [first.id], rejected: [second.id], undone: [first.id] },
      },
      releases: { put: [{ objectId: first.id, ...change, releasedAt: 7 }] },
      rejections: {
        put: [{ objectId: second.id, ...change, evidence: "accountDisabled", rejectedAt: 7 }],
      },
      cyclePlan: {
        cycleId,
        summary,
        guard: { held: true, reasons: people.map(({ text }) => text) },
        notes: people.map(({ text }) => text),
      },
      notes: { watermark: first.text, heldPlan: "plan-1", tenantId: "tenant" },
    },
    "private",
  );
}

async function writeOutcomes(store: StateStore, cycleId: number, people: People): Promise<void> {
  const ids = (await store.operations(cycleId, { afterWave: -1, afterId: 0, limit: 1_000 }))
    .filter(({ status }) => status === "planned")
    .map(({ id }) => id);
  await store.commit({ intents: { begin: { operationIds: ids, at: 8 } } }, "private");
  const [one = 0, two = 0] = ids;
  const failing = people.slice(0, 3);
  await store.commit(
    {
      ended: [
        {
          id: one,
          status: "done",
          latticeId: "new",
          httpStatus: 201,
          requestId: "r\0",
          finishedAt: 10,
        },
        {
          id: two,
          status: "failed",
          httpStatus: 400,
          error: people[1]?.text ?? "",
          finishedAt: 11,
        },
      ],
      retries: {
        put: failing.map(({ id, text, index }) => ({
          ...(index === 0 ? { paths: [text] } : {}),
          objectId: id,
          attempts: 2,
          firstFailedAt: 1,
          lastFailedAt: 2,
          nextTryAt: 3,
          code: "400",
          message: text,
        })),
      },
      failures: failing.map(({ id, text }) => ({
        objectId: id,
        change: "began" as const,
        since: 1,
        code: "400",
        message: text,
      })),
      cycleEnd: {
        cycleId,
        finishedAt: 12,
        outcome: "someFailed",
        error: people[0]?.text ?? "",
        outcomes: [{ action: "update", outcome: "done", count: 1 }],
      },
      // Two of one moment, whose order counts.
      events: people.map(({ text }) => ({ event: { kind: "guardCleared" as const, planId: text }, at: 13 })),
    },
    "private",
  );
  await store.addressEvents([{ name: "ops\0", events: ["guardCleared"] }]);
  const root = {
    latticeId: "lat-root\0",
    userName: "root",
    by: { kind: "local" },
    reason: "break\0glass",
    at: 5,
  } as const;
  await store.addEvent({ kind: "accountProtected", ...root }, { at: 13, protections: { put: [root] } });
  const linked = {
    objectId: "p\0",
    latticeId: "lat\0",
    what: "linked",
    userName: "u\0",
    reason: "r\0",
    at: 6,
  } as const;
  await store.commit({ linkDecisions: { put: [{ ...linked, by: { kind: "local" } }] } }, "private");
  await store.commit({ nobodys: { put: ["lat\0", "x"] } }, "private");
  await store.addEvent({ kind: "goodCycleAgain", since: 1 }, { at: 14, once: "once\0", failuresThrough: 1 });
}
