import type { LoggedOperation } from "../domain/operation.ts";
import type { Change, Skipped } from "../domain/plan.ts";
import { shortPath } from "../mapping/rules/target-attributes.ts";
import { commandLine } from "../process/command-name.ts";
import { accountsText } from "./account-counts.ts";
import { departmentChart } from "./html-chart.ts";
import { pageEnd, pageFile, pageStart } from "./html-page.ts";
import { html, Markup } from "./markup.ts";
import type { PlanView, Write } from "./view.ts";
import { actionOrder, driftText, headline, sentText, shown } from "./words.ts";

/** People shown open; the others open with a click, so that a page of 20,000 stays fast. */
const opened = 100;

const titles = {
  create: "Accounts to create",
  link: "Existing accounts to link",
  update: "Accounts to change",
  reactivate: "Accounts to reactivate",
  deactivate: "Accounts to deactivate",
} as const;

/**
 * Writes a plan, or its results, as one HTML file that needs nothing else: the page sends no request, and a policy in it forbids
 * any. People are written one by one, never held all at once.
 */
export async function writeHtml(view: PlanView, write: Write): Promise<void> {
  const send = ({ text }: Markup): Promise<void> => write(text);
  const script = pageFile("report.js");
  const statuses = await countStatuses(view);
  await send(pageStart({ title: headline(view), facts: await facts(view), script }));
  await send(verdict(view));
  await send(tiles(view, statuses));
  const departments = await view.departments();
  if (departments !== null && departments.length > 0) await send(departmentChart(departments));
  await send(searchBox);

  let shownPeople = 0;
  const people = async (
    id: string,
    title: string,
    operations: AsyncIterable<LoggedOperation>,
  ): Promise<void> => {
    await section({ id, title }, operations, send, (operation) => {
      shownPeople += 1;
      return person(operation, shownPeople <= opened);
    });
  };
  const apart = view.dryRun ? (["held"] as const) : (["failed", "held"] as const);
  for (const status of apart) {
    if ((statuses.get(status) ?? 0) === 0) continue;
    const title = status === "held" ? "Held by the guard" : "Failed";
    await people(
      status,
      title,
      matching(view.operations(), (operation) => operation.status === status),
    );
  }
  for (const action of actionOrder) {
    const rest = matching(
      view.operations(action),
      ({ status }) => status !== "held" && (view.dryRun || status !== "failed"),
    );
    await people(action, titles[action], rest);
  }
  await section({ id: "drift", title: "Drift: changed by hand in Lattice" }, view.drift(), send, drift);
  await section({ id: "alone", title: "Skipped" }, view.skipped(), send, alone);
  await send(pageEnd({ script }));
}

async function countStatuses(view: PlanView): Promise<ReadonlyMap<LoggedOperation["status"], number>> {
  const statuses = new Map<LoggedOperation["status"], number>();
  for await (const { status } of view.operations()) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  return statuses;
}

async function* matching(
  operations: AsyncIterable<LoggedOperation>,
  meets: (operation: LoggedOperation) => boolean,
): AsyncGenerator<LoggedOperation> {
  for await (const operation of operations) if (meets(operation)) yield operation;
}

async function facts(view: PlanView): Promise<Markup> {
  const { header } = view;
  const sent = sentText(view);
  const accounts = await view.accounts();
  const time = new Date(header.createdAt).toISOString();
  return html`<ul class="facts"><li><time datetime="${time}">${time.replace("T", " ").slice(0, 19)} UTC</time></li><li>plan <code>${header.planId}</code></li>${sent === null ? [] : [html`<li>${sent}</li>`]}${accounts === null ? [] : [html`<li>${accountsText(accounts)}</li>`]}</ul>
`;
}

function verdict({ header, dryRun, result, flags = "" }: PlanView): Markup {
  const { guard, planId } = header;
  const noted =
    header.notes.length === 0
      ? []
      : html`<section class="verdict held" aria-label="Notes"><p><strong>Notes</strong></p><ul>${header.notes.map((sentence) => html`<li>${sentence}</li>`)}</ul></section>
`;
  const notes =
    guard.notes === undefined
      ? []
      : html`<p>What this costs in Lattice:</p><ul>${guard.notes.map((note) => html`<li>${note}</li>`)}</ul>`;
  if (!guard.held) {
    return html`${noted}<section class="verdict" aria-label="Guard"><p>The guard holds nothing.</p>${notes}</section>
`;
  }
  const next = dryRun
    ? html`<p>A sync holds the changes marked held below, and sends everything else.</p>`
    : result !== null && result.held > 0
      ? html`<p>Changes marked held below wait for your decision; everything else was sent. To release them: <code>${commandLine(`release ${planId}${flags}`)}</code></p>`
      : [];
  return html`${noted}<section class="verdict held" aria-label="Guard"><p><strong>Held by the guard</strong></p><ul>${guard.reasons.map((reason) => html`<li>${reason}</li>`)}</ul>${next}${notes}</section>
`;
}

function tiles({ header }: PlanView, statuses: ReadonlyMap<string, number>): Markup {
  const { summary } = header;
  const tile = (name: string, label: string, number: number): Markup =>
    html`<div class="${name}"><dt>${label}</dt><dd>${number.toLocaleString("en")}</dd></div>`;
  const some = (name: string, number: number): readonly Markup[] =>
    number === 0 ? [] : [tile(name, name, number)];
  return html`<dl class="tiles">${[
    ...actionOrder.map((action) => tile(action, action, summary[action])),
    ...some("held", statuses.get("held") ?? 0),
    ...some("failed", statuses.get("failed") ?? 0),
    tile("unchanged", "unchanged", summary.unchanged),
    tile("alone", "skipped", summary.skipped),
    ...(summary.outOfScope === undefined ? [] : [tile("out", "out of scope or deleted", summary.outOfScope)]),
  ]}</dl>
`;
}

const searchBox = html`<div id="search" class="search" role="search" hidden><label for="words">Find people</label><input id="words" type="search" placeholder="name, reason or value" autocomplete="off" spellcheck="false"><span id="found" role="status"></span><button id="open" type="button">Open all</button><button id="close" type="button">Close all</button></div>
`;

/** A heading with everything below it; nothing if there is no content. */
async function section<T>(
  { id, title }: { id: string; title: string },
  items: AsyncIterable<T>,
  send: (markup: Markup) => Promise<void>,
  toMarkup: (item: T) => Markup,
): Promise<void> {
  let any = false;
  for await (const item of items) {
    if (!any) {
      await send(html`<section data-people aria-labelledby="${id}-people"><h2 id="${id}-people">${title}</h2>
`);
    }
    any = true;
    await send(toMarkup(item));
  }
  if (any)
    await send(html`</section>
`);
}

function person(operation: LoggedOperation, open: boolean): Markup {
  const { action, status, changes, error } = operation;
  const marked = status === "held" || status === "failed" ? status : null;
  const shade = marked === null ? action : `${action} ${marked}`;
  const flag = new Markup(open ? " open" : "");
  return html`<details data-person class="person ${shade}"${flag}><summary><bdi class="name">${operation.userName}</bdi> <span class="quiet">${action}: ${operation.reason}</span>${marked === null ? [] : [html` <span class="mark">${marked}</span>`]}</summary>
${error === null ? [] : [html`<p class="error">${error}</p>`]}${changes.length === 0 ? html`<p class="quiet">No attribute changes.</p>` : changeTable(operation)}</details>
`;
}

function changeTable({ userName, changes }: LoggedOperation): Markup {
  return html`<table aria-label="Changes of ${userName}"><thead><tr><th scope="col">Attribute</th><th scope="col">Before</th><th scope="col">After</th></tr></thead><tbody>${changes.map(changeRow)}</tbody></table>`;
}

function changeRow({ attribute, before, after }: Change): Markup {
  return html`<tr><th scope="row">${shortPath(attribute)}</th>${before === null ? html`<td class="quiet">(none)</td>` : html`<td class="before"><bdi>${shown(before)}</bdi></td>`}${after === null ? html`<td class="quiet">(none)</td>` : html`<td class="after"><bdi>${shown(after)}</bdi></td>`}</tr>`;
}

function drift(operation: LoggedOperation): Markup {
  const treatment = operation.status === "reported" ? "only reported" : "to be corrected";
  return html`<p data-person class="alone"><bdi class="name">${operation.userName}</bdi> ${driftText(operation)} <span class="quiet">(${treatment})</span></p>
`;
}

function alone({ userName, objectId, reason }: Skipped): Markup {
  return html`<p data-person class="alone"><bdi class="name">${userName || objectId}</bdi> <span class="quiet">${reason}</span></p>
`;
}
