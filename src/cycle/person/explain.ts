import { iso } from "../../domain/sentence.ts";
import type { LinkedTarget } from "../../domain/state/account.ts";
import { lastOfEverybody } from "../../domain/state/last-of-everybody.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { valueAt } from "../../domain/target.ts";
import { withDecisions } from "../planning/decisions.ts";
import { sharersOf } from "../planning/namesakes.ts";
import type { PlannedPerson } from "../planning/planned-person.ts";
import {
  accountExplanation,
  mappingExplanation,
  scopeExplanation,
  sourceExplanation,
} from "./explain-data.ts";
import { planExplanation, planStored } from "./explain-plan.ts";
import type { ExplainOptions, ExplainSettings } from "./explain-settings.ts";
import type { Explanation, PictureAges } from "./explanation.ts";
import { type Found, findPerson } from "./find-person.ts";
import { decisionsOf, historyOf, linkDecisionsOf, standingOf } from "./standing.ts";
import { sentencesOf } from "./summary.ts";

const shownEntries = 10;

/**
 * Explains one person from the store alone: it reads and changes nothing. The planning function of a cycle also decides
 * what would be done here.
 * @param asked user principal name, object id, Lattice id, a userName in Lattice, or a part of a name
 * @throws StateError
 */
export async function explain(
  store: StateStore,
  given: ExplainSettings,
  asked: string,
  options: ExplainOptions,
): Promise<Explanation> {
  const settings = await withDecisions(given, store);
  const pictures = await picturesOf(store, settings, options);
  const found = await findPerson(store, asked, settings.mapping);
  const person = found.objectId === null ? null : await planStored(store, settings, found.objectId, options);
  const parts =
    person === null
      ? await withoutSource(store, found, settings)
      : await withSource(store, person, settings, options);
  const { candidates, moreCandidates } = found;
  const explanation = {
    formatVersion: "1.0",
    asked,
    pictures,
    candidates,
    moreCandidates,
    ...parts,
  } as const;
  return { ...explanation, summary: sentencesOf(explanation) };
}

type Parts = Omit<
  Explanation,
  "formatVersion" | "asked" | "pictures" | "summary" | "candidates" | "moreCandidates"
>;

async function withoutSource(store: StateStore, found: Found, settings: ExplainSettings): Promise<Parts> {
  const { account } = found;
  const nothing = { source: null, scope: null, mappings: [], decision: null, standing: null };
  // The log may still contain a person whom neither Entra nor Lattice has any more.
  const person = found.objectId ?? found.asked;
  const history =
    found.candidates.length > 0 ? [] : historyOf(await store.history({ person, limit: shownEntries }));
  if (account === null) return { ...nothing, found: "nobody", account: null, history };
  const linkedTo = await store.ownerOf(account.latticeId);
  const key = account.userName.toLowerCase();
  const namesakes = linkedTo === null ? ((await sharersOf(store, [key], true)).get(key) ?? []) : [];
  const explained = { ...accountExplanation(account, linkedTo, settings), namesakes };
  return { ...nothing, found: "lattice", account: explained, history };
}

async function withSource(
  store: StateStore,
  person: PlannedPerson,
  settings: ExplainSettings,
  options: ExplainOptions,
): Promise<Parts> {
  const { candidate, plan } = person;
  const { objectId } = candidate.source;
  const planned = plan.kind === "operation" ? plan.operation.latticeId : null;
  const account = candidate.link ?? (planned === null ? null : await store.accountOf(planned));
  const linkedTo = account === null ? null : await store.ownerOf(account.latticeId);
  const log = await store.history({ person: objectId, limit: shownEntries + 1 });
  const nameOf = await managerName(store, account, settings);
  return {
    found: account === null ? "entra" : "both",
    source: sourceExplanation(candidate, settings),
    scope: scopeExplanation(person, settings, options),
    mappings: settings.mapping.attributes.map((mapping) =>
      mapping.type === "reference"
        ? { ...mappingExplanation(mapping, person, account, options.environment), ...nameOf }
        : mappingExplanation(mapping, person, account, options.environment),
    ),
    account: account === null ? null : accountExplanation(account, linkedTo, settings),
    decision: await planExplanation(store, person, settings, options),
    standing: await standingOf(store, candidate),
    history: historyOf(log.filter((entry) => entry.cycleId !== options.live?.cycleId).slice(0, shownEntries)),
    ...(await decisionsOf(store, objectId)),
    ...linkDecisionsOf(objectId, settings),
  };
}

/** The person whose account an account's manager is; Lattice gives the manager only as an id. */
async function managerName(
  store: StateStore,
  account: LinkedTarget | null,
  { mapping }: ExplainSettings,
): Promise<{ readonly currentUserName?: string }> {
  const reference = mapping.attributes.find(({ type }) => type === "reference");
  if (account === null || reference === undefined || reference.redacted) return {};
  if (mapping.attributes.some(({ target, redacted }) => target === "userName" && redacted)) return {};
  const latticeId = valueAt(account, reference.target);
  const manager = typeof latticeId === "string" ? await store.accountOf(latticeId) : null;
  return manager === null ? {} : { currentUserName: manager.userName };
}

async function picturesOf(
  store: StateStore,
  { mapping }: ExplainSettings,
  { environment, live }: ExplainOptions,
): Promise<PictureAges> {
  const [meta, last] = await Promise.all([
    store.meta(),
    lastOfEverybody(store, ({ id }) => id !== live?.cycleId),
  ]);
  const time = (written: string | undefined): string | null =>
    written === undefined ? null : iso(Number(written));
  return {
    live: live !== undefined,
    explainedAt: new Date(environment.now()).toISOString(),
    entraReadAt: time(meta.watermarkAt),
    latticeListedAt: time(meta.targetListedAt),
    lastCycle:
      last === undefined
        ? null
        : {
            cycle: last.kind,
            startedAt: new Date(last.startedAt).toISOString(),
            finishedAt: iso(last.finishedAt),
            outcome: last.outcome,
          },
    configurationChanged: meta.mappingDigest !== undefined && meta.mappingDigest !== mapping.digest,
  };
}
