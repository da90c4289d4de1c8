import type { CycleResult } from "../cycle/course/request.ts";
import { operationsOf } from "../cycle/operations/pages.ts";
import type { RevertedPerson, RevertReport } from "../cycle/reverts/revert-report.ts";
import type { OperationStatus } from "../domain/operation.ts";
import { withoutRedacted } from "../domain/redacted.ts";
import { count } from "../domain/sentence.ts";
import type { StateStore } from "../domain/state/store.ts";
import { jsonText } from "../domain/visible.ts";
import { shortPath } from "../mapping/rules/target-attributes.ts";
import { changeLines } from "./change-lines.ts";
import { indented, type Layout } from "./terminal.ts";
import type { Write } from "./view.ts";
import { printable } from "./words.ts";

/** Minor versions add, major versions break, as in a plan. */
const formatVersion = "1.1";

/** The operations that a revert has sent, or would send. */
export interface RevertView {
  readonly report: RevertReport;
  readonly dryRun: boolean;
  /** The cycle that took back, or tried it on a private copy; `null` if the state database alone was read. */
  readonly run: {
    readonly result: CycleResult;
    /** How each person's operation ended, by object id. */
    readonly ended: ReadonlyMap<string, { readonly status: OperationStatus; readonly error: string | null }>;
  } | null;
}

/** The view of a cycle that took back an earlier one; `null` if it was another cycle. @param store holds its plan */
export async function revertView(
  store: StateStore,
  result: CycleResult,
  dryRun: boolean,
): Promise<RevertView | null> {
  if (result.revert === undefined) return null;
  const ended = new Map<string, { readonly status: OperationStatus; readonly error: string | null }>();
  for await (const { objectId, status, error } of operationsOf(store, result.cycleId, {})) {
    ended.set(objectId, { status, error });
  }
  return { report: result.revert.report, dryRun, run: { result, ended } };
}

/** Writes a revert as one JSON document, or for people to read. */
export async function writeRevert(
  view: RevertView,
  format: "table" | "json",
  write: Write,
  layout: Layout,
): Promise<void> {
  await (format === "json" ? writeRevertJson(view, write) : writeRevertTable(view, write, layout));
}

/** A revert as plain JSON, person by person: the text of all of them may be longer than memory should be. */
async function writeRevertJson({ report, dryRun, run }: RevertView, write: Write): Promise<void> {
  const { reverts, changedSince, cannot, skipped } = report;
  await write(jsonText(headOf({ report, dryRun, run })).slice(0, -1));
  await writeList("reverts", reverts, write, ({ changes, ...person }) => {
    const ended = dryRun ? undefined : run?.ended.get(person.objectId);
    return {
      ...person,
      changes: shownChanges(changes),
      ...(run === null || dryRun ? {} : { status: ended?.status ?? "notSent", error: ended?.error ?? null }),
    };
  });
  for (const [name, list] of Object.entries({ changedSince, cannot, skipped })) {
    await writeList(name, list, write, (person) => person);
  }
  await write("}\n");
}

async function writeList<T>(
  name: string,
  items: readonly T[],
  write: Write,
  documentOf: (item: T) => object,
): Promise<void> {
  await write(`,${jsonText(name)}:[`);
  for (const [index, item] of items.entries()) {
    await write(`${index === 0 ? "" : ","}${jsonText(documentOf(item))}`);
  }
  await write("]");
}

/** Everything but the lists of people. */
function headOf({ report: { cycleId, planId }, dryRun, run }: RevertView): object {
  if (run === null) return { formatVersion, dryRun, cycleId, planId };
  const { header, outcome, done, failed, notSent, revert } = run.result;
  const { held, reasons } = header.guard;
  return {
    formatVersion,
    dryRun,
    cycleId,
    planId,
    run: {
      ...(dryRun
        ? {}
        : { cycleId: run.result.cycleId, planId: header.planId, outcome, done, failed, notSent }),
      guard: { held, reasons, passedOver: revert?.passedOver ?? [] },
    },
  };
}

async function writeRevertTable(view: RevertView, write: Write, layout: Layout): Promise<void> {
  const { report, dryRun, run } = view;
  const { cycleId, planId, reverts, changedSince, cannot, skipped } = report;
  const of = `the revert of cycle ${cycleId} (plan ${printable(planId)})`;
  await write(dryRun ? `Dry run of ${of}: nothing was written\n` : `${capital(of)}: ${outcomeText(view)}\n`);
  for (const reason of run?.result.header.guard.reasons ?? [])
    await write(limit("Limit exceeded", reason, layout));
  for (const reason of run?.result.revert?.passedOver ?? [])
    await write(limit("Limit passed over", reason, layout));
  const nothingSent = run?.result.header.guard.held === true;
  const title = dryRun || nothingSent ? "Would be taken back" : "Taken back";
  await write(heading(title, reverts.length, layout));
  for (const { changes, ...person } of reverts) {
    const ended = dryRun ? undefined : run?.ended.get(person.objectId);
    const failure =
      ended === undefined || ended.status === "done"
        ? []
        : indented(printable(`[${ended.status}]${ended.error === null ? "" : ` ${ended.error}`}`), 4, layout);
    await write(lines([nameOf(person), ...changeLines(shownChanges(changes), layout), ...failure]));
  }
  for (const [what, list] of [
    ["Changed since, and left", changedSince],
    ["Cannot be undone", cannot],
    ["Skipped", skipped],
  ] as const) {
    if (list.length > 0) await write(heading(what, list.length, layout));
    for (const { what: left, ...person } of list) {
      const reasons = left.flatMap(({ attribute, reason }) =>
        indented(printable(`${shortPath(attribute)}: ${reason}`), 4, layout),
      );
      await write(lines([nameOf(person), ...reasons]));
    }
  }
}

function outcomeText({ run }: RevertView): string {
  if (run === null) return "nothing was written";
  const { header, done, failed, notSent, outcome } = run.result;
  if (header.guard.held) return "nothing was sent, because it exceeds a limit of the guard";
  const rest = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(notSent > 0 ? [`${notSent} not sent`] : []),
    ...(outcome === "paused" ? ["sending was paused meanwhile"] : []),
  ];
  return [`${count(done, "account")} changed`, ...rest].join(", ");
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function limit(what: string, reason: string, layout: Layout): string {
  return `${indented(printable(`${what}: ${reason}`), 2, layout).join("\n")}\n`;
}

type Changes = RevertReport["reverts"][number]["changes"];

function shownChanges(changes: Changes): Changes {
  return withoutRedacted({ changes }).changes;
}

function heading(title: string, people: number, { paint }: Layout): string {
  return `\n${paint("bold", `${title}: ${count(people, "person", "people")}`)}\n`;
}

function nameOf({ userName }: RevertedPerson): string {
  return `  ${printable(userName)}`;
}

function lines(all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}
