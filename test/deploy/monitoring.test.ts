import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parser } from "@prometheus-io/lezer-promql";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createMetrics } from "../../src/daemon/metrics.ts";

const deploy = join(import.meta.dirname, "../../deploy");
const alerts = parse(readFileSync(join(deploy, "prometheus/alerts.yaml"), "utf8")).groups.flatMap(
  (group: { rules: unknown }) => group.rules,
) as readonly { alert: string; expr: string; annotations: { summary: string; runbook: string } }[];
const dashboard = JSON.parse(readFileSync(join(deploy, "grafana/dashboard.json"), "utf8"));
const panels = dashboard.panels as readonly {
  id: number;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: readonly { expr: string }[];
}[];

/** Names of the metrics that an expression reads. @throws where it is no PromQL */
function metricsOf(expression: string): readonly string[] {
  const names: string[] = [];
  parser.parse(expression).iterate({
    enter: ({ type, from, to }) => {
      if (type.isError) throw new Error(`no PromQL at ${from}: ${expression}`);
      // The name in a selector, not that of a function or a label.
      if (type.name === "Identifier") names.push(expression.slice(from, to));
    },
  });
  return names;
}

async function published(): Promise<ReadonlySet<string>> {
  const metrics = createMetrics("0");
  const text = await metrics.text(null, 0);
  metrics.close();
  const names = new Set<string>(["up"]);
  for (const [, name = "", type] of text.matchAll(/^# TYPE (\S+) (\w+)$/gm)) {
    names.add(name);
    if (type === "histogram") for (const part of ["bucket", "count", "sum"]) names.add(`${name}_${part}`);
  }
  return names;
}

describe("alert rules and dashboard", () => {
  it("ask for metrics that there are, in PromQL", async () => {
    const known = await published();
    const expressions = [
      ...alerts.map(({ expr }) => expr),
      ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ];
    expect(expressions.length).toBeGreaterThan(20);
    for (const expression of expressions) {
      const asked = metricsOf(expression);
      expect(asked.length, expression).toBeGreaterThan(0);
      for (const name of asked) expect(known, expression).toContain(name);
    }
    expect(() => metricsOf("sum by (")).toThrow("no PromQL");
  });

  it("say of each alert where it is written what to do", () => {
    const runbook = readFileSync(join(deploy, "../docs/operating.md"), "utf8");
    for (const { alert, annotations } of alerts) {
      expect(annotations.runbook).toBe(`docs/operating.md#${alert.toLowerCase()}`);
      expect(runbook).toContain(`### ${alert}\n`);
    }
  });

  it("explain each reason for which somebody is left alone", () => {
    const runbook = readFileSync(join(deploy, "../docs/operating.md"), "utf8");
    const said = [...runbook.matchAll(/^\| left alone: `(\w+)`/gm)].map(([, code]) => code);
    const plan = readFileSync(join(deploy, "../src/domain/plan.ts"), "utf8");
    const codes = /type SkipCode =(?<codes>[^;]+);/.exec(plan)?.groups?.codes ?? "";
    const page = readFileSync(join(deploy, "../src/daemon/http/page/view-now.js"), "utf8");
    const known = [...codes.matchAll(/"(\w+)"/g)].map(([, code]) => String(code));
    expect(known.length).toBeGreaterThan(10);
    expect(said.sort()).toEqual([...known].sort());
    for (const code of known) expect(page).toContain(`  ${code}: "`);
  });

  it("lay no panel over another", () => {
    const taken = new Set<string>();
    for (const { title, gridPos } of panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.has(`${x},${y}`), title).toBe(false);
          taken.add(`${x},${y}`);
        }
      }
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    }
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });
});
