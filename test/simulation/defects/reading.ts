import type { CycleContext } from "../../../src/cycle/context/context.ts";
import type { PeopleById } from "../../../src/cycle/reading/read-by-id.ts";
import type { Json } from "../../../src/domain/json.ts";
import type { Source, SourceChange, SourceUser } from "../../../src/domain/source.ts";
import { type Defect, swap, swapInner } from "./defect.ts";

// Faults in what is read of the directory, and in what is concluded from it.

/** Leavers are asked for by id before they are switched off, which makes up for what was concluded from a list. */
const nobodyIsAskedFor = swap("cycle/guard/confirm-leavers.ts", "confirmLeavers", () => async () => true);

type Pages = AsyncGenerator<readonly SourceChange[], { readonly watermark: string }>;
type ReadInto = (
  context: CycleContext,
  pages: Pages,
  byId: PeopleById,
  left?: Map<string, number>,
) => Promise<{ readonly watermark: string; readonly people: number }>;

function withSource(context: CycleContext, source: Partial<Source>): CycleContext {
  return { ...context, source: { ...context.source, ...source } };
}

export const readingDefects: readonly Defect[] = [
  {
    name: "the watermark is stored before what was read",
    seed: 2,
    history: 53,
    swaps: [
      swapInner<ReadInto>(
        "cycle/reading/ingest.ts",
        "readInto",
        (original) =>
          async (context, pages, ...rest) => {
            const read: (readonly SourceChange[])[] = [];
            let page = await pages.next();
            for (; page.done !== true; page = await pages.next()) read.push(page.value);
            const { watermark } = page.value;
            await context.store.commit({ notes: { watermark, aheadOfWatermark: "" } }, context.fence);
            async function* again(): Pages {
              yield* read;
              return { watermark };
            }
            return original(context, again(), ...rest);
          },
      ),
    ],
  },
  {
    name: "an answer that shows an account does not end its absence",
    seed: 2,
    history: 61,
    family: "lying-404",
    swaps: [swap("cycle/reading/keep-accounts.ts", "endAbsence", () => async () => {})],
  },
  {
    name: "a scope that could not be read to its end is taken for the whole",
    seed: 3,
    history: 23,
    swaps: [
      swap("cycle/reading/scope.ts", "ingestScope", (original) => (context) => {
        const { source } = context;
        const upToTheFault = (signal: AbortSignal): ReturnType<Source["readScope"]> => {
          const pages = source.readScope(signal);
          if (pages === null) return null;
          return (async function* () {
            try {
              return yield* pages;
            } catch {
              return [];
            }
          })();
        };
        return original(withSource(context, { readScope: upToTheFault }));
      }),
      nobodyIsAskedFor,
    ],
  },
  {
    name: "who is missing from a list is taken to be deleted",
    seed: 4,
    history: 65,
    swaps: [
      swapInner<
        (
          context: CycleContext,
          byId: PeopleById,
          person: Pick<SourceUser, "objectId" | "presence">,
        ) => Promise<void>
      >(
        "cycle/reading/ingest.ts",
        "readMissing",
        (original) => (context, byId, person) =>
          original(context, { ...byId, read: async () => null }, person),
      ),
      nobodyIsAskedFor,
    ],
  },
  {
    name: "an expired watermark is taken for no news",
    seed: 3,
    history: 18,
    swaps: [
      swap("cycle/reading/ingest.ts", "ingestSource", (original) => (context, ...rest) => {
        const { source } = context;
        const readChanges: Source["readChanges"] = async function* (watermark, signal) {
          try {
            return yield* source.readChanges(watermark, signal);
          } catch (error) {
            if (error instanceof Error && error.constructor.name === "WatermarkExpiredError") {
              return { watermark };
            }
            throw error;
          }
        };
        return original(withSource(context, { readChanges }), ...rest);
      }),
    ],
  },
  {
    name: "what a round of changes leaves out is taken to be empty",
    seed: 1,
    history: 1,
    swaps: [
      swap(
        "cycle/pictures/fold-source.ts",
        "foldSource",
        (original) => (known, item) =>
          original(known === null || item.complete ? known : { ...known, attributes: {} }, item),
      ),
    ],
  },
  {
    name: "a picture that is ahead of its watermark is carried on from there",
    seed: 3,
    history: 88,
    swaps: [
      swap("cycle/pictures/fold-people.ts", "foldPeople", (original) => (...terms) => {
        const folded = original(...terms);
        const { notes: _, ...change } = folded.change;
        return { ...folded, change };
      }),
    ],
  },
  {
    name: "whoever returns from the bin is taken for what the round shows of them",
    seed: 4,
    history: 475,
    swaps: [
      swap("cycle/pictures/fold-people.ts", "foldPeople", (original) => (...terms) => ({
        ...original(...terms),
        readAgain: [],
      })),
    ],
  },
  {
    name: "nobody is looked at because time has passed",
    seed: 1,
    history: 0,
    family: "in-due-time",
    swaps: [swap("cycle/reading/due.ts", "markDue", () => async () => 0)],
  },
  {
    name: "an accountEnabled that no answer has shown counts as true",
    seed: 2,
    history: 29,
    family: "missing-properties",
    swaps: [
      swap("cycle/pictures/fold-source.ts", "foldSource", (original) => (known, item) => {
        const folded = original(known, item);
        return item.complete ? { ...folded, unshown: [] } : folded;
      }),
    ],
  },
  {
    name: "an accountEnabled that a list does not show counts as false",
    seed: 2,
    history: 1,
    family: "missing-properties",
    swaps: [
      swap("entra/users.ts", "parseListedUser", (original) => (...terms) => {
        const { unshown, ...user } = original(...terms);
        const left = (unshown ?? []).filter((name) => name !== "accountEnabled");
        return {
          ...user,
          attributes: { accountEnabled: false, ...user.attributes },
          ...(left.length === 0 ? {} : { unshown: left }),
        };
      }),
    ],
  },
  {
    name: "what a list does not show of a person is forgotten",
    seed: 4,
    history: 13,
    family: "missing-properties",
    swaps: [
      swap("cycle/pictures/fold-source.ts", "foldSource", (original) => (known, item) => {
        const folded = original(known, item);
        if (!item.complete) return folded;
        const shown = Object.entries(folded.attributes).filter(
          (entry): entry is [string, Json] => entry[1] !== undefined && !folded.kept.includes(entry[0]),
        );
        return { ...folded, attributes: Object.fromEntries(shown) };
      }),
    ],
  },
  {
    name: "managers whom a list shows of nobody are none",
    seed: 3,
    history: 18,
    family: "missing-properties",
    swaps: [
      swap(
        "entra/users.ts",
        "parseListedUsers",
        (original) =>
          (...terms) =>
            original(...terms).map(({ perhapsNone: _, ...user }) => ({
              ...user,
              managerId: user.managerId ?? null,
            })),
      ),
    ],
  },
  {
    name: "who is missing from the list of a group is not asked for by id",
    seed: 1,
    history: 1,
    family: "scope-groups",
    swaps: [nobodyIsAskedFor],
  },
  {
    name: "an old deletion that a round of changes repeats is believed",
    seed: 2,
    history: 25,
    family: "scope-groups",
    swaps: [
      swapInner<(context: CycleContext, ...rest: readonly unknown[]) => Promise<void>>(
        "cycle/guard/ask-by-id.ts",
        "askSome",
        (original) =>
          (context, ...rest) =>
            original(withSource(context, { readUser: async () => null }), ...rest),
      ),
    ],
  },
  {
    name: "a person who is there after all is not asked for among the members",
    seed: 1,
    history: 168,
    family: "scope-groups",
    swaps: [
      swapInner<
        (
          context: CycleContext,
          objectIds: readonly string[],
          answers: { readonly contradicted: ReadonlySet<string> },
        ) => Promise<readonly string[]>
      >(
        "cycle/guard/ask-by-id.ts",
        "membersAmong",
        (original) => (context, objectIds, answers) =>
          original(
            context,
            objectIds.filter((id) => !answers.contradicted.has(id)),
            answers,
          ),
      ),
    ],
  },
  {
    name: "the reports of a manager whose deletion is not confirmed lose the manager",
    seed: 4,
    history: 110,
    family: "scope-groups",
    swaps: [swap("cycle/planning/presumptions.ts", "presumptionsOf", () => async () => new Map())],
  },
  {
    name: "the deletion of a person whose own account is inactive is believed at once",
    seed: 15002,
    history: 886,
    family: "scope-groups",
    swaps: [
      swap("cycle/guard/ask-by-id.ts", "askAll", (original) => async (context, objectIds) => {
        const links = await Promise.all(objectIds.map((objectId) => context.store.linkOf(objectId)));
        const active = objectIds.filter((_, index) => links[index]?.active !== false);
        return original(context, active);
      }),
    ],
  },
  {
    name: "one 404 dissolves a link",
    seed: 1,
    history: 11,
    swaps: [
      swap("cycle/reading/missing-accounts.ts", "askFor", () => async () => null),
      swap("cycle/reading/missing.ts", "judgeAbsence", () => () => "gone"),
    ],
  },
  {
    name: "a 404 is believed at once",
    seed: 1,
    history: 32,
    family: "lying-404",
    swaps: [
      swap(
        "cycle/reading/missing.ts",
        "judgeAbsence",
        () =>
          ({ othersAnswer }) =>
            othersAnswer ? "gone" : "missing",
      ),
    ],
  },
  {
    name: "hours of absence are counted although the account was seen meanwhile",
    seed: 3,
    history: 204,
    family: "lying-404",
    swaps: [
      swap("cycle/pictures/accounts.ts", "foldAccounts", (original) => (...terms) => {
        const fold = original(...terms);
        const missing = new Map<string, number>();
        return {
          ...fold,
          read: (found) => {
            const since = fold.row(found.latticeId)?.missingSince ?? null;
            if (since !== null) missing.set(found.latticeId, since);
            fold.read(found);
          },
          change: () => {
            const { accounts, ...change } = fold.change();
            if (accounts === undefined) return change;
            const put = accounts.put?.map((row) => ({
              ...row,
              missingSince: missing.get(row.latticeId) ?? row.missingSince,
            }));
            return { ...change, accounts: { ...accounts, ...(put === undefined ? {} : { put }) } };
          },
        };
      }),
    ],
  },
  {
    name: "another company is not noticed by its listing",
    seed: 1,
    history: 4,
    family: "another-company",
    swaps: [swap("cycle/reading/missing.ts", "strangeCompany", () => () => null)],
  },
  {
    name: "a new key is not tested on linked accounts",
    seed: 1,
    history: 2,
    family: "another-company",
    swaps: [
      swapInner<(context: CycleContext, linked: number) => Promise<boolean>>(
        "cycle/reading/company.ts",
        "isKnownThere",
        () => async () => true,
      ),
    ],
  },
  {
    name: "a cycle that has ended goes on reading accounts",
    seed: 3,
    history: 298,
    family: "reverts",
    swaps: [swap("cycle/context/all-ended.ts", "allEnded", () => (work) => Promise.all(work))],
  },
];
