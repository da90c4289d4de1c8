import { jsonText } from "../../domain/visible.ts";
import { shortPath } from "../../mapping/rules/target-attributes.ts";
import { pageEnd, pageStart } from "../html-page.ts";
import { asText } from "../markdown.ts";
import { html, Markup } from "../markup.ts";
import { writeOut } from "../output.ts";
import { indented, isTerminal, type Layout, layoutOf, wrapped } from "../terminal.ts";
import type { Write } from "../view.ts";
import { actionOrder, printable, shown } from "../words.ts";
import type { ReportOptions } from "../write-report.ts";
import type { PersonDifference } from "./people.ts";
import {
  type ComparisonView,
  comparisonHeadline,
  type PlanSide,
  planned,
  treatment,
  verdictOf,
} from "./view.ts";

/** Minor versions add, major versions break. */
const formatVersion = "1.0";

/** Writes the comparison of two plans. @throws UsageError if the file cannot be written */
export async function writeComparison(view: ComparisonView, options: ReportOptions): Promise<void> {
  await writeOut(options, async (write) => {
    switch (options.format) {
      case "json":
        return writeJson(view, write);
      case "markdown":
        return writeMarkdown(view, write);
      case "html":
        return writeHtml(view, write);
      case "table": {
        const limit = options.limit ?? (isTerminal(options) ? 100 : Number.POSITIVE_INFINITY);
        return writeTable(view, write, await layoutOf(options), limit);
      }
    }
  });
}

async function writeJson({ first, second, offline, people }: ComparisonView, write: Write): Promise<void> {
  const side = ({ file, header }: PlanSide): object => ({
    file,
    cycle: header.cycle,
    summary: header.summary,
    guard: header.guard,
    notes: header.notes,
  });
  const head = {
    formatVersion,
    kind: "comparison",
    offline,
    different: people.length,
    first: side(first),
    second: side(second),
  };
  await write(`${jsonText(head, 2).slice(0, -2)},\n  "people": [`);
  let separator = "\n    ";
  for (const person of people) {
    await write(separator + jsonText(person));
    separator = ",\n    ";
  }
  await write(people.length === 0 ? "]\n}\n" : "\n  ]\n}\n");
}

const columns = [...actionOrder, "unchanged", "skipped"] as const;

async function writeMarkdown(view: ComparisonView, write: Write): Promise<void> {
  await write(`## ${asText(comparisonHeadline(view))}\n\n`);
  await write(`| plan | ${columns.join(" | ")} | guard |\n|---|${columns.map(() => "---:|").join("")}---|\n`);
  for (const side of [view.first, view.second]) {
    const numbers = columns.map((column) => side.header.summary[column]).join(" | ");
    await write(`| ${asText(side.file)} | ${numbers} | ${verdictOf(side).map(asText).join("<br>")} |\n`);
  }
  for (const { file, header } of [view.first, view.second]) {
    for (const text of header.notes) await write(`\n**Note** (${asText(file)}): ${asText(text)}\n`);
  }
  if (view.people.length === 0) return;
  await write("\n| person | now planned | planned with the other | attributes |\n|---|---|---|---|\n");
  for (const person of view.people) {
    const attributes = person.attributes.map(
      (one) =>
        `${asText(shortPath(one.attribute))}: ${asText(planned(one, "first"))} → ${asText(planned(one, "second"))}`,
    );
    await write(
      `| ${asText(nameOf(person))} | ${asText(treatment(person.first))} | ${asText(treatment(person.second))} | ${attributes.join("<br>")} |\n`,
    );
  }
}

async function writeTable(view: ComparisonView, write: Write, layout: Layout, limit: number): Promise<void> {
  const { paint } = layout;
  const title = wrapped(comparisonHeadline(view), layout).map((line) => paint("bold", line));
  await write(`${title.join("\n")}\n`);
  for (const person of view.people.slice(0, limit)) {
    const [first, second] = [treatment(person.first), treatment(person.second)];
    const lines = [
      paint("yellow", printable(nameOf(person))),
      ...indented(printable(first === second ? first : `${first} → ${second}`), 2, layout),
      ...person.attributes.flatMap((one) =>
        indented(
          printable(
            `${shortPath(one.attribute)} (now ${shown(one.now)}): ${planned(one, "first")} → ${planned(one, "second")}`,
          ),
          4,
          layout,
        ),
      ),
    ];
    await write(`\n${lines.join("\n")}\n`);
  }
  const left = view.people.length - limit;
  if (left > 0) await write(`\n  … and ${left} more. Use --format json to see everyone.\n`);
  for (const side of [view.first, view.second]) {
    const numbers = columns.map((column) => `${side.header.summary[column]} ${column}`).join(", ");
    const lines = [
      ...wrapped(`${printable(side.file)}: ${numbers}`, layout),
      ...verdictOf(side).flatMap((text) => indented(printable(text), 2, layout)),
      ...side.header.notes.flatMap((text) => indented(`Note: ${printable(text)}`, 2, layout)),
    ];
    await write(`\n${lines.join("\n")}\n`);
  }
}

async function writeHtml(view: ComparisonView, write: Write): Promise<void> {
  const send = ({ text }: Markup): Promise<void> => write(text);
  await send(pageStart({ title: comparisonHeadline(view) }));
  for (const side of [view.first, view.second]) await send(sideMarkup(side));
  if (view.people.length > 0) {
    await send(html`<section aria-labelledby="people"><h2 id="people">People who are planned otherwise</h2>
`);
    for (const [place, person] of view.people.entries()) await send(personMarkup(person, place < 100));
    await send(html`</section>
`);
  }
  await send(pageEnd());
}

function sideMarkup(side: PlanSide): Markup {
  const { header, file } = side;
  const shade = header.guard.held ? "verdict held" : "verdict";
  const numbers = columns.map((column) => `${header.summary[column]} ${column}`).join(", ");
  const sentences = [...verdictOf(side), ...header.notes];
  return html`<section class="${shade}" aria-label="${file}"><p><strong>${file}</strong>: ${numbers}</p><ul>${sentences.map((text) => html`<li>${text}</li>`)}</ul></section>
`;
}

function personMarkup(person: PersonDifference, open: boolean): Markup {
  const rows = person.attributes.map(
    (one) =>
      html`<tr><th scope="row">${shortPath(one.attribute)}</th><td><bdi>${shown(one.now)}</bdi></td><td><bdi>${planned(one, "first")}</bdi></td><td><bdi>${planned(one, "second")}</bdi></td></tr>`,
  );
  const table =
    rows.length === 0
      ? html`<p class="quiet">No attribute differs.</p>`
      : html`<table aria-label="Differences of ${nameOf(person)}"><thead><tr><th scope="col">Attribute</th><th scope="col">In Lattice</th><th scope="col">Planned now</th><th scope="col">With the other</th></tr></thead><tbody>${rows}</tbody></table>`;
  return html`<details data-person class="person update"${new Markup(open ? " open" : "")}><summary><bdi class="name">${nameOf(person)}</bdi> <span class="quiet">${treatment(person.first)} → ${treatment(person.second)}</span></summary>
${table}</details>
`;
}

function nameOf({ userName, objectId }: PersonDifference): string {
  return userName || objectId;
}
