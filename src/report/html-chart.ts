import type { DepartmentCount } from "../domain/log.ts";
import type { Action } from "../domain/plan.ts";
import { html, type Markup } from "./markup.ts";
import { actionOrder } from "./words.ts";

const mostBars = 20;
const width = 900;
const rowHeight = 26;
const nameWidth = 240;
const numberWidth = 60;
const longestName = 30;

interface Bar {
  readonly name: string;
  readonly counts: ReadonlyMap<Action, number>;
  readonly total: number;
}

/** Operations by department: bars for the largest departments, and a table of all departments. */
export function departmentChart(counts: readonly DepartmentCount[]): Markup {
  const bars = barsOf(counts);
  const shown = bars.slice(0, mostBars);
  const rest = bars.slice(mostBars);
  const all = rest.length === 0 ? shown : [...shown, together(`${rest.length} more`, rest)];
  const longest = Math.max(...all.map(({ total }) => total));
  const used = actionOrder.filter((action) => bars.some((bar) => bar.counts.has(action)));
  return html`<section aria-labelledby="departments"><h2 id="departments">By department</h2>
<ul class="keys">${used.map((action) => html`<li class="key ${action}"><svg width="14" height="14" aria-hidden="true"><rect width="14" height="14"></rect></svg>${action}</li>`)}</ul>
<svg class="chart" viewBox="0 0 ${width} ${all.length * rowHeight}" role="img" aria-label="Operations by department; the table below has the same figures">
${all.map((bar, index) => barOf(bar, index, longest))}</svg>
<details><summary>As a table</summary><table><thead><tr><th scope="col">Department</th>${used.map((action) => html`<th scope="col" class="number">${action}</th>`)}<th scope="col" class="number">all</th></tr></thead><tbody>
${bars.map((bar) => html`<tr><th scope="row">${bar.name}</th>${used.map((action) => html`<td class="number">${bar.counts.get(action) ?? 0}</td>`)}<td class="number">${bar.total}</td></tr>\n`)}</tbody></table></details></section>
`;
}

function barsOf(counts: readonly DepartmentCount[]): readonly Bar[] {
  const names = [...new Set(counts.map(({ department }) => department ?? ""))];
  return names
    .map((name): Bar => {
      const own = counts.filter(({ department }) => (department ?? "") === name);
      return {
        name: name === "" ? "(no department)" : name,
        counts: new Map(own.map(({ action, count }) => [action, count])),
        total: own.reduce((sum, { count }) => sum + count, 0),
      };
    })
    .sort((left, right) => right.total - left.total || (left.name < right.name ? -1 : 1));
}

function together(name: string, bars: readonly Bar[]): Bar {
  const counts = new Map<Action, number>();
  for (const bar of bars) {
    for (const [action, count] of bar.counts) counts.set(action, (counts.get(action) ?? 0) + count);
  }
  return { name, counts, total: bars.reduce((sum, { total }) => sum + total, 0) };
}

function barOf(bar: Bar, index: number, longest: number): Markup {
  const top = index * rowHeight;
  const scale = (width - nameWidth - numberWidth) / longest;
  let left = nameWidth;
  const parts: Markup[] = [];
  for (const action of actionOrder) {
    const count = bar.counts.get(action);
    if (count === undefined) continue;
    const length = Math.max(1, Math.round(count * scale * 10) / 10);
    parts.push(
      html`<rect class="${action}" x="${left}" y="${top + 4}" width="${length}" height="${rowHeight - 8}"><title>${bar.name}: ${count} ${action}</title></rect>`,
    );
    left += length;
  }
  return html`<g><text x="${nameWidth - 10}" y="${top + 18}" text-anchor="end">${short(bar.name)}</text>${parts}<text x="${left + 8}" y="${top + 18}">${bar.total.toLocaleString("en")}</text></g>
`;
}

function short(name: string): string {
  const characters = [...name];
  return characters.length <= longestName ? name : `${characters.slice(0, longestName - 1).join("")}…`;
}
