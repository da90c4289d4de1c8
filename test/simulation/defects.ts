/** A deliberate fault in the engine, as replacements of its text. The simulation must notice each. */
export interface Defect {
  readonly name: string;
  /** Under which it shows early; the engine as it is breaks nothing under it. */
  readonly seed: number;
  /** The first that shows it, counted from 0. Where another does after a change of the histories, it is found all the same, later. */
  readonly history: number;
  /** The histories that show it; default: those of every day. */
  readonly family?: string;
  readonly edits: readonly {
    /** Under `src/`. */
    readonly file: string;
    /** Occurs exactly once. */
    readonly find: string;
    readonly replace: string;
  }[];
}

/** Leavers are asked for by id before they are switched off, which makes up for what was concluded from a list. */
const nobodyIsAskedFor = {
  file: "cycle/cycle.ts",
  find: "const confirmed = await confirmLeavers(context);",
  replace: "const confirmed = confirmLeavers !== undefined;",
} as const;

export const defects: readonly Defect[] = [
  {
    name: "a create without an answer is sent again without a look-up",
    seed: 2,
    history: 40,
    edits: [
      {
        file: "cycle/sending/deliver.ts",
        find: "const found = await lookUp(context, operation, error);",
        replace: "const found = unknown ? [] : await lookUp(context, operation, error);",
      },
    ],
  },
  {
    name: "the watermark is stored before what was read",
    seed: 2,
    history: 1,
    edits: [
      {
        file: "cycle/reading/ingest.ts",
        find: "if (page.done === true) return { watermark: page.value.watermark, people: done };",
        replace:
          "if (page.done === true) { await keepWatermark(context, page.value.watermark, byId); for (const changes of late) await keepPeople(context, changes); return { watermark: page.value.watermark, people: done }; }",
      },
      {
        file: "cycle/reading/ingest.ts",
        find: "const { readAgain, kept, unshown } = await keepPeople(context, part);",
        replace:
          "const readAgain: readonly string[] = [];\n        const [kept, unshown] = [new Map<string, number>(), new Map<string, number>()];\n        late.push(part);",
      },
      {
        file: "cycle/reading/ingest.ts",
        find: "readonly people: number }> {\n  let done = 0;",
        replace:
          "readonly people: number }> {\n  const late: (readonly SourceChange[])[] = [];\n  let done = 0;",
      },
    ],
  },
  {
    name: "a scope that could not be read to its end is taken for the whole",
    seed: 3,
    history: 19,
    edits: [
      {
        file: "cycle/reading/scope.ts",
        find: "await store.beginScope();\n  let done = 0;\n  try {\n    for (let page = await pages.next(); ; page = await pages.next()) {",
        replace:
          "await store.beginScope();\n  let done = 0;\n  const next = () => pages.next().catch(() => ({ done: true as const, value: [] as readonly ScopePart[] }));\n  try {\n    for (let page = await next(); ; page = await next()) {",
      },
      nobodyIsAskedFor,
    ],
  },
  {
    name: "who is missing from a list is taken to be deleted",
    seed: 10,
    history: 30,
    edits: [
      {
        file: "cycle/reading/ingest.ts",
        find: 'const found = await byId.read(objectId);\n  if (found === "unread") return;',
        replace: "const found = null;",
      },
      nobodyIsAskedFor,
    ],
  },
  {
    name: "nothing notes what is about to be sent",
    seed: 12,
    history: 115,
    edits: [{ file: "state/sqlite/sending.ts", find: "intend.run(now, id);", replace: "" }],
  },
  {
    name: "unconfirmed writes of a killed run are not looked up",
    seed: 12,
    history: 115,
    edits: [
      {
        file: "cycle/cycle.ts",
        find: "await recoverIntents(context);",
        replace:
          'for (const { objectId } of await context.store.openIntents()) await context.store.settleIntent(objectId, null, "cancelled", 0, false);',
      },
    ],
  },
  {
    name: "a write that failed counts as done",
    seed: 8,
    history: 36,
    edits: [
      {
        file: "state/sqlite/sending.ts",
        find: 'if (outcome.status === "done") {',
        replace: 'if (outcome.status !== "cancelled") {',
      },
      {
        file: "state/sqlite/sending.ts",
        find: "const refused = outcome.retry === undefined ? 0 : 1;",
        replace: "const refused = 0;",
      },
    ],
  },
  {
    name: "the guard forgets what was done before",
    seed: 1,
    history: 22,
    edits: [
      {
        file: "state/sqlite/guarding.ts",
        find: "recentWeights: async (since, cycleId) => recent.all({ since, cycleId })",
        replace:
          "recentWeights: async (_, cycleId) => recent.all({ since: Number.MAX_SAFE_INTEGER, cycleId })",
      },
    ],
  },
  {
    name: "the guard holds one less than there are",
    seed: 1,
    history: 13,
    edits: [
      {
        file: "cycle/guard/hold.ts",
        find: "page.flatMap((operation) => heldPart(operation, holds) ?? []);",
        replace: "page.slice(1).flatMap((operation) => heldPart(operation, holds) ?? []);",
      },
    ],
  },
  {
    name: "an account with somebody else's externalId is adopted",
    seed: 5,
    history: 10,
    edits: [
      {
        file: "cycle/planning/match.ts",
        find: "if (foreign !== null && ",
        replace: "if (false && foreign !== null && ",
      },
    ],
  },
  {
    name: "an account that belongs to somebody else is taken",
    seed: 5,
    history: 10,
    edits: [
      {
        file: "cycle/planning/match.ts",
        find: "if (linkedTo !== null && linkedTo !== candidate.source.objectId) {",
        replace: "if (linkedTo === candidate.source.objectId) {",
      },
      {
        file: "cycle/sending/deliver.ts",
        find: "await refuseOthers(context, operation, account);\n  if (planned",
        replace: "if (planned",
      },
      {
        file: "cycle/planning/match.ts",
        find: "if (foreign !== null && ",
        replace: "if (false && foreign !== null && ",
      },
    ],
  },
  {
    name: "an expired watermark is taken for no news",
    seed: 7,
    history: 21,
    edits: [
      {
        file: "cycle/reading/ingest.ts",
        find: "if (!(error instanceof WatermarkExpiredError)) throw error;",
        replace:
          "if (!(error instanceof WatermarkExpiredError)) throw error;\n      return { full: false, empty: false };",
      },
    ],
  },
  {
    name: "one 404 dissolves a link",
    seed: 2,
    history: 6,
    edits: [
      {
        file: "cycle/sending/send.ts",
        find: "if ((await askFor(context, objectId, latticeId)) !== null) return null;",
        replace: "",
      },
      {
        file: "cycle/reading/missing.ts",
        find: 'return seen.othersAnswer && seen.now - seen.missingSince >= believedAfterMs ? "gone" : "missing";',
        replace: 'return "gone";',
      },
    ],
  },
  {
    name: "somebody who left keeps the account when the new userName is refused",
    seed: 2,
    history: 10,
    edits: [
      {
        file: "cycle/sending/send.ts",
        find: 'if (!rejected || operation.action !== "deactivate"',
        replace: 'if (!rejected || operation.action === "deactivate"',
      },
    ],
  },
  {
    name: "a run that is told to stop goes on",
    seed: 7,
    history: 50,
    edits: [
      {
        file: "cycle/sending/apply.ts",
        find: "if (stop === null && context.signal.aborted) stop = interrupted(context.signal);",
        replace: "",
      },
    ],
  },
  {
    name: "an update is taken for granted where no answer came",
    seed: 6,
    history: 154,
    edits: [
      {
        file: "cycle/sending/send.ts",
        find: "unknown: error instanceof UnknownOutcomeError || error instanceof RecordUnavailableError,",
        replace: "unknown: false,",
      },
    ],
  },
  {
    name: "the guard does not count what was carried out without an answer",
    seed: 17,
    history: 49,
    edits: [
      {
        file: "state/sqlite/intents.ts",
        find: "confirm.run({ id: cleared.operation_id, now });",
        replace: "",
      },
    ],
  },
  {
    name: "the guard does not count renames",
    seed: 1,
    history: 18,
    edits: [
      {
        file: "cycle/guard/weights.ts",
        find: 'inOtherCase || isTemporaryName(before) ? [] : [{ kind: "rename" }];',
        replace: "[];",
      },
    ],
  },
  {
    name: "the guard does not count cleared values",
    seed: 6,
    history: 20,
    edits: [
      {
        file: "cycle/guard/weights.ts",
        find: 'after === null ? [{ kind: "clear", detail: attribute }] : [];',
        replace: "[];",
      },
    ],
  },
  {
    name: "a release holds for whatever is planned for the person",
    seed: 6,
    history: 151,
    edits: [
      {
        file: "cycle/guard/fingerprint.ts",
        find: "released.get(change.attribute) === fingerprint(operation, change)",
        replace: "released.size > 0",
      },
      {
        file: "cycle/pictures/fold-decisions.ts",
        find: "releases: { drop: people.flatMap(releasesOver) },",
        replace: "",
      },
    ],
  },
  {
    name: "a dry run sends",
    seed: 1,
    history: 41,
    edits: [
      {
        file: "cycle/cycle.ts",
        find: "const applied = request.dryRun\n",
        replace: 'const applied = request.dryRun && context.kind === "on-demand"\n',
      },
    ],
  },
  {
    name: "who failed is not looked at again",
    seed: 1,
    history: 29,
    edits: [
      {
        file: "state/sqlite/sending.ts",
        find: "saveRetry.run({ ...outcome.retry, paths: paths === undefined ? null : JSON.stringify(paths) });",
        replace: "settle.run(0, 0, outcome.objectId);",
      },
    ],
  },
  {
    name: "what a round of changes leaves out is taken to be empty",
    seed: 1,
    history: 1,
    edits: [
      {
        file: "cycle/pictures/fold-source.ts",
        find: "attributes: withoutNulls({ ...before, ...item.attributes }),",
        replace: "attributes: withoutNulls(item.attributes),",
      },
    ],
  },
  {
    name: "a picture that is ahead of its watermark is carried on from there",
    seed: 9,
    history: 108,
    edits: [
      {
        file: "cycle/pictures/fold-people.ts",
        find: '...(changed ? { notes: { aheadOfWatermark: "yes" } } : {}),',
        replace: "",
      },
    ],
  },
  {
    name: "an account that did not take everything is not linked",
    seed: 1,
    history: 17,
    edits: [
      {
        file: "cycle/sending/deliver.ts",
        find: "if (account.externalId === externalIdOf(operation)) {",
        replace: "if (account.externalId === null) {",
      },
    ],
  },
  {
    name: "whoever returns from the bin is taken for what the round shows of them",
    seed: 21,
    history: 17,
    edits: [
      {
        file: "cycle/reading/ingest.ts",
        find: "for (const objectId of readAgain) await readAnew(context, byId, objectId);",
        replace: "",
      },
    ],
  },
  {
    name: "nobody is looked at because time has passed",
    seed: 1,
    history: 0,
    family: "in-due-time",
    edits: [
      {
        file: "cycle/cycle.ts",
        find: "if (context.clockDoubtMs === 0) await markDue(context);",
        replace: "",
      },
    ],
  },
  {
    name: "a delayed deactivation is not waited for",
    seed: 1,
    history: 0,
    family: "in-due-time",
    edits: [
      {
        file: "cycle/planning/leaving.ts",
        find: "if (until <= now) return",
        replace: "if (until <= now + action.afterMs) return",
      },
    ],
  },
  {
    name: "who is left alone for the time being is written all the same",
    seed: 1,
    history: 39,
    family: "in-due-time",
    edits: [
      {
        file: "cycle/planning/plan-person.ts",
        find: "      return skipStaying(person, fate, settings);",
        replace: "      break;",
      },
    ],
  },
  {
    name: "the reports of somebody who was switched off are not read again",
    seed: 1,
    history: 1,
    family: "reporting-lines",
    edits: [
      {
        file: "cycle/sending/references.ts",
        find: '    { which: "reports", latticeId, emptied: [path] },\n',
        replace: "",
      },
    ],
  },
  {
    name: "the own account of somebody who was switched off is not read again",
    seed: 1,
    history: 599,
    family: "reporting-lines",
    edits: [
      {
        file: "cycle/sending/references.ts",
        find: '    { which: "account", latticeId, emptied: [path] },\n',
        replace: "",
      },
    ],
  },
  {
    name: "a manager that Lattice took away by itself is taken for drift",
    seed: 1,
    history: 1,
    family: "reporting-lines",
    edits: [
      {
        file: "state/sqlite/drift.ts",
        find: "(now === null && emptied.has(path))",
        replace: "false",
      },
    ],
  },
  {
    name: "what a deactivated manager came to is still acknowledged when the account is active again",
    seed: 2,
    history: 130,
    family: "reporting-lines",
    edits: [
      {
        file: "state/sqlite/read-again.ts",
        find: "without(JSON.parse(row.acknowledged), paths)",
        replace: "JSON.parse(row.acknowledged)",
      },
      {
        file: "state/sqlite/target-picture.ts",
        find: "without(user.acknowledged, emptied)",
        replace: "user.acknowledged",
      },
    ],
  },
  {
    name: "who was read again and has not changed is not planned",
    seed: 1,
    history: 289,
    family: "reporting-lines",
    edits: [
      {
        file: "state/sqlite/target-picture.ts",
        find: "        before.read_again !== null ||\n",
        replace: "",
      },
    ],
  },
  {
    name: "a refused manager whose account is deactivated is sent again in every cycle",
    seed: 1,
    history: 22,
    family: "reporting-lines",
    edits: [
      {
        file: "cycle/sending/send.ts",
        find: "account.active !== false",
        replace: "account.active !== null",
      },
    ],
  },
  {
    name: "renames are sent in any order",
    seed: 1,
    history: 246,
    family: "names",
    edits: [
      {
        file: "cycle/planning/plan.ts",
        find: "renameWaves(await store.plannedRenames(cycleId))",
        replace: "renameWaves([])",
      },
    ],
  },
  {
    name: "who gets a userName does not wait until it is free",
    seed: 1,
    history: 839,
    family: "names",
    edits: [
      {
        file: "cycle/sending/apply.ts",
        find: "name === undefined ? undefined : freeing.get(name),",
        replace: "undefined,",
      },
    ],
  },
  {
    name: "a ring of userNames is not seen",
    seed: 1,
    history: 3,
    family: "names",
    edits: [
      {
        file: "cycle/planning/rename-rings.ts",
        find: "if (members.length > 1) rings.set",
        replace: "if (members.length > 99) rings.set",
      },
    ],
  },
  {
    name: "an accountEnabled that no answer has shown counts as true",
    seed: 1,
    history: 118,
    family: "missing-properties",
    edits: [
      {
        file: "cycle/pictures/fold-source.ts",
        find: "unshown: unshown.filter((name) => !has(name)),",
        replace: "unshown: [],",
      },
    ],
  },
  {
    name: "an accountEnabled that a list does not show counts as false",
    seed: 1,
    history: 39,
    family: "missing-properties",
    edits: [
      {
        file: "entra/users.ts",
        find: "unshownOf(user, selection.properties).filter((name) => !isOpenProperty(name));",
        replace:
          "unshownOf(user, selection.properties).filter((name) => !isOpenProperty(name) && !isAccountEnabled(name));",
      },
      {
        file: "entra/users.ts",
        find: "attributes: pickAttributes(user, selection, { keepNull: false }),",
        replace:
          "attributes: { accountEnabled: false, ...pickAttributes(user, selection, { keepNull: false }) },",
      },
    ],
  },
  {
    name: "what a list does not show of a person is forgotten",
    seed: 1,
    history: 30,
    family: "missing-properties",
    edits: [
      {
        file: "cycle/pictures/fold-source.ts",
        find: "const keptNames = left.filter(has);",
        replace: "const keptNames: readonly string[] = [];",
      },
    ],
  },
  {
    name: "managers whom a list shows of nobody are none",
    seed: 1,
    history: 67,
    family: "missing-properties",
    edits: [
      {
        file: "entra/users.ts",
        find: "if (perhapsNone.length === 0) return users;",
        replace: "if (perhapsNone.length >= 0) return users;",
      },
    ],
  },
  {
    name: "whether somebody passes a filter is decided although what it asks about was not shown",
    seed: 1,
    history: 121,
    family: "missing-properties",
    edits: [
      {
        file: "cycle/planning/faults.ts",
        find: "if (mapped.scopeUnshown.length === 0 || mapped.excluded) return null;",
        replace: "if (mapped.scopeUnshown.length >= 0) return null;",
      },
    ],
  },
  {
    name: "our clock is believed although both ends contradict it",
    seed: 1,
    history: 0,
    family: "clocks",
    edits: [
      {
        file: "cycle/health/clock-doubt.ts",
        find: "if (lattice === undefined || Math.abs(lattice) <= toleratedMs) return 0;",
        replace: "if (lattice === undefined || lattice === entra) return 0;",
      },
    ],
  },
  {
    name: "what our clock alone says is due is done although the ends contradict it",
    seed: 1,
    history: 135,
    family: "clocks",
    edits: [
      {
        file: "cycle/health/clock-doubt.ts",
        find: "if (isDeepStrictEqual(decision, other)) return",
        replace: "if (decision !== other) return",
      },
    ],
  },
  {
    name: "the log is pruned by a clock that both ends contradict",
    seed: 1,
    history: 45,
    family: "clocks",
    edits: [
      {
        file: "cycle/cycle.ts",
        find: "if (context.clockDoubtMs === 0) {\n      await store.prune({",
        replace: "{\n      await store.prune({",
      },
    ],
  },
  {
    name: "the guard's window ends when a wrong clock says so",
    seed: 1,
    history: 134,
    family: "clocks",
    edits: [
      {
        file: "cycle/guard/counts.ts",
        find: "const windowEnd = clock.now() - Math.max(0, context.clockDoubtMs);",
        replace: "const windowEnd = clock.now() - context.clockDoubtMs;",
      },
    ],
  },
  {
    name: "who is missing from the list of a group is not asked for by id",
    seed: 1,
    history: 0,
    family: "scope-groups",
    edits: [nobodyIsAskedFor],
  },
  {
    name: "an old deletion that a round of changes repeats is believed",
    seed: 1,
    history: 0,
    family: "scope-groups",
    edits: [
      {
        file: "cycle/reading/confirm-leavers.ts",
        find: "await askEach(context, idsOf(gone), answers, async (id) => {",
        replace: "await askEach(context, idsOf(gone).slice(0, 0), answers, async (id) => {",
      },
    ],
  },
  {
    name: "a person who is there after all is not asked for among the members",
    seed: 1,
    history: 604,
    family: "scope-groups",
    edits: [
      {
        file: "cycle/reading/confirm-leavers.ts",
        find: '(one) => one.source.presence === "present" || answers.contradicted.has(one.source.objectId),',
        replace: '(one) => one.source.presence === "present",',
      },
    ],
  },
  {
    name: "a group that became empty raises no alarm",
    seed: 1,
    history: 68,
    family: "scope-groups",
    edits: [
      {
        file: "cycle/guard/alarms.ts",
        find: "members > floor && (some === 0 ||",
        replace: "members > floor && (some < 0 ||",
      },
    ],
  },
  {
    name: "the alarm about an emptied group is over with the first person who is back",
    seed: 1,
    history: 96,
    family: "scope-groups",
    edits: [
      {
        file: "cycle/guard/alarms.ts",
        find: "(doubted === true && some < members)",
        replace: "(doubted === true && some < 0)",
      },
    ],
  },
  {
    name: "the reports of a manager whose deletion is not confirmed lose the manager",
    seed: 1,
    history: 426,
    family: "scope-groups",
    edits: [
      {
        file: "cycle/reading/confirm-leavers.ts",
        find: "if (managerId !== null && managers.has(managerId)) found.set",
        replace: "if (managerId === null && managers.size < 0) found.set",
      },
    ],
  },
  {
    name: "an account that a create meets is taken by its name, whatever the matching",
    seed: 1,
    history: 91,
    family: "matching-orders",
    edits: [
      {
        file: "cycle/sending/deliver.ts",
        find: "const own = lost ? found.find((account) => isOwn(account, writes)) : undefined;",
        replace: "const [own] = found;",
      },
    ],
  },
  {
    name: "a 404 is believed at once",
    seed: 1,
    history: 15,
    family: "lying-404",
    edits: [
      {
        file: "cycle/reading/missing.ts",
        find: 'return seen.othersAnswer && seen.now - seen.missingSince >= believedAfterMs ? "gone" : "missing";',
        replace: 'return seen.othersAnswer ? "gone" : "missing";',
      },
    ],
  },
  {
    name: "hours of absence are counted although the account was seen meanwhile",
    seed: 1,
    history: 311,
    family: "lying-404",
    edits: [
      {
        file: "state/sqlite/target-picture.ts",
        find: "       read_again = NULL, missing_since = NULL`,",
        replace: "       read_again = NULL`,",
      },
    ],
  },
  {
    name: "a lost account that shows again is not linked",
    seed: 1,
    history: 0,
    family: "hiding-account",
    edits: [
      {
        file: "cycle/planning/leavers.ts",
        find: "if (candidate.lostLinks.length === 0 || matches === null) return null;",
        replace: "if (candidate.lostLinks.length >= 0 || matches === null) return null;",
      },
    ],
  },
  {
    name: "another company is not noticed by its listing",
    seed: 1,
    history: 6,
    family: "another-company",
    edits: [
      {
        file: "cycle/reading/missing.ts",
        find: "if (unknown <= Math.max(handful, limits.lostLinkFloor) || unknown <= found) return null;",
        replace: "if (unknown >= 0) return null;",
      },
    ],
  },
  {
    name: "a new key is not tested on linked accounts",
    seed: 1,
    history: 2,
    family: "another-company",
    edits: [
      {
        file: "cycle/health/company.ts",
        find: "if (linked > 0 && !(await isKnownThere(context, linked))) return;",
        replace: "if (linked < 0 && !(await isKnownThere(context, linked))) return;",
      },
    ],
  },
  {
    name: "an answer that contradicts what was sent is believed",
    seed: 1,
    history: 12,
    family: "odd-answers",
    edits: [
      {
        file: "cycle/sending/confirm.ts",
        find: "if (doubts.length === 0) return settled(receipt.user);",
        replace: "if (doubts.length >= 0) return settled(receipt.user);",
      },
    ],
  },
  {
    name: "a stranger's account that a create is answered with is linked",
    seed: 1,
    history: 9,
    family: "odd-answers",
    edits: [
      {
        file: "cycle/sending/deliver.ts",
        find: "return stranger === null\n",
        replace: "return stranger === null || stranger !== null\n",
      },
    ],
  },
  {
    name: "an account that was made although a stranger's was shown is not looked up",
    seed: 1,
    history: 9,
    family: "odd-answers",
    edits: [
      {
        file: "cycle/sending/deliver.ts",
        find: "const found = await lookUp(context, operation, new UnknownOutcomeError(stranger.message));",
        replace: "const found: readonly TargetUser[] = [];",
      },
    ],
  },
  {
    name: "an active that an answer does not show is taken for false",
    seed: 1,
    history: 518,
    family: "odd-answers",
    edits: [
      {
        file: "cycle/sending/confirm.ts",
        find: 'const active = typeof sent === "boolean" ? sent : (known?.active ?? null);',
        replace: "const active = false;",
      },
    ],
  },
  {
    name: "the second of two people with one externalId takes the first one's account",
    seed: 5,
    history: 29,
    family: "shared-external-ids",
    edits: [
      {
        file: "cycle/planning/faults.ts",
        find: "if (input.sharedIdWith.count === 0) return null;",
        replace: "if (input.sharedIdWith.count <= 9) return null;",
      },
      {
        file: "cycle/planning/match.ts",
        find: '(own && owner.standing !== "inScope")',
        replace: "own",
      },
    ],
  },
  {
    name: "each of two people with one externalId gets an account",
    seed: 5,
    history: 36,
    family: "shared-external-ids",
    edits: [
      {
        file: "cycle/planning/faults.ts",
        find: "if (input.sharedIdWith.count === 0) return null;",
        replace: "if (input.sharedIdWith.count <= 9) return null;",
      },
    ],
  },
  {
    name: "a linked account is written although it was given another person's externalId, as where two were swapped",
    seed: 5,
    history: 15,
    family: "shared-external-ids",
    edits: [
      {
        file: "cycle/planning/match.ts",
        find: "const carried = idHolders.size === 0 ? null",
        replace: "const carried = candidate.link !== null ? null",
      },
    ],
  },
  {
    name: "a leaver's account that carries the externalId of a person who gets it is switched off",
    seed: 5,
    history: 48,
    family: "shared-external-ids",
    edits: [
      {
        file: "cycle/planning/plan-people.ts",
        find: "  if (taking === undefined) return null;",
        replace: "  if (taking === undefined || taking !== null) return null;",
      },
    ],
  },
  {
    name: "an account is switched off without a look at the externalId that it was given since it was listed",
    seed: 5,
    history: 387,
    family: "shared-external-ids",
    edits: [
      {
        file: "cycle/sending/send.ts",
        find: 'operation.action === "deactivate" && !operation.adopts ? await',
        replace: 'operation.action === "create" && !operation.adopts ? await',
      },
    ],
  },
  {
    name: "an account that goes over to somebody is given to a newcomer as that of the former owner",
    seed: 5,
    history: 61,
    family: "shared-external-ids",
    edits: [
      {
        file: "cycle/planning/plan.ts",
        find: "withdrawUnpromised(context, [...former])",
        replace: "withdrawUnpromised(context, [])",
      },
    ],
  },
  {
    name: "an account that went over to somebody stays the manager of the former owner's reports",
    seed: 5,
    history: 328,
    family: "shared-external-ids",
    edits: [
      {
        file: "state/sqlite/target-picture.ts",
        find: "        awaitManager.run(formerOwner);",
        replace: "",
      },
    ],
  },
  {
    name: "a disabled person hides the other one whose externalId an account carries",
    seed: 5,
    history: 109,
    family: "shared-external-ids",
    edits: [
      {
        file: "cycle/planning/carried-ids.ts",
        find: "Number(one.active) - Number(other.active)",
        replace: "Number(other.active) - Number(one.active)",
      },
    ],
  },
  {
    name: "nothing tells that Entra has another externalId by now than the account",
    seed: 5,
    history: 22,
    family: "shared-external-ids",
    edits: [
      {
        file: "cycle/planning/notices.ts",
        find: "if (!edited && !mayHaveChanged(person, settings)) return null;",
        replace: "if (!edited) return null;",
      },
    ],
  },
  {
    name: "whoever shared an externalId is not looked at again when the other one goes",
    seed: 5,
    history: 62,
    family: "shared-external-ids",
    edits: [
      {
        file: "cycle/pictures/marks.ts",
        find: "if (externalIdKey !== null) ids.add(externalIdKey);",
        replace: "if (externalIdKey !== null) ids.has(externalIdKey);",
      },
    ],
  },
  {
    name: "an account with another system's externalId is taken by its name",
    seed: 5,
    history: 357,
    family: "shared-external-ids",
    edits: [
      {
        file: "cycle/planning/match.ts",
        find: "    if (foreign !== null && !settings.adoptForeignExternalId) {",
        replace: "    if (foreign !== null && settings.adoptForeignExternalId) {",
      },
    ],
  },
];
