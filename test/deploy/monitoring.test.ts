import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parser } from "@prometheus-io/lezer-promql";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { skipCodes } from "../../src/domain/plan.ts";
import { createMetrics, runMetrics, type Situation } from "../../src/report/metrics.ts";
import { toolPath } from "./tool.ts";

const deploy = join(import.meta.dirname, "../../deploy");
const alerts = parse(readFileSync(join(deploy, "prometheus/alerts.yaml"), "utf8")).groups.flatMap(
  (group: { rules: unknown }) => group.rules,
) as readonly { alert: string; expr: string; annotations: { summary: string; runbook: string } }[];
/** For runs by a timer. */
const timerAlerts = parse(readFileSync(join(deploy, "prometheus/alerts-timer.yaml"), "utf8")).groups.flatMap(
  (group: { rules: unknown }) => group.rules,
) as typeof alerts;
const dashboard = JSON.parse(readFileSync(join(deploy, "grafana/dashboard.json"), "utf8"));
const panels = dashboard.panels as readonly {
  id: number;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: readonly { expr: string }[];
}[];

/** Names of the metrics that an expression reads. @throws if it is not PromQL */
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

/** The metrics of an empty database. */
const nothingYet: Situation = {
  totals: {
    sourceUsers: 0,
    linked: 0,
    linkedActive: 0,
    skipped: 0,
    retrying: 0,
    linkedSkipped: 0,
    waitingForManager: 0,
  },
  skipped: new Map(),
  watermarkAt: null,
  targetReachedAt: null,
  outOfScope: null,
  heldOperations: 0,
  heldDeactivations: 0,
  quarantine: false,
  canary: false,
  paused: false,
  accounts: null,
  protectedAccounts: 0,
  comparisonFailed: false,
  nextCycleAt: null,
  lastCycle: null,
};

async function published(): Promise<ReadonlySet<string>> {
  const metrics = createMetrics("0", { named: true });
  const text = await metrics.text([], 0);
  metrics.close();
  const names = new Set<string>(["up"]);
  for (const [, name = "", type] of text.matchAll(/^# TYPE (\S+) (\w+)$/gm)) {
    names.add(name);
    if (type === "histogram") for (const part of ["bucket", "count", "sum"]) names.add(`${name}_${part}`);
  }
  return names;
}

const promtool = toolPath("promtool");

describe.skipIf(promtool === null)("the alert rules, by Prometheus' own tool,", () => {
  const run = (...args: readonly string[]): string =>
    spawnSync(promtool ?? "promtool", args, { encoding: "utf8", cwd: import.meta.dirname }).stdout;

  it("are valid", () => {
    const files = ["alerts.yaml", "alerts-timer.yaml"].map((file) => join(deploy, "prometheus", file));
    expect(run("check", "rules", ...files).match(/SUCCESS/g)).toHaveLength(2);
  });

  it("are raised once for replicas of one state, by job, and say when a replica or all are missing", () => {
    expect(run("test", "rules", "alerts.promtool.yaml")).toContain("SUCCESS");
  });
});

describe("alert rules and dashboard", () => {
  it("use existing metrics, in valid PromQL", async () => {
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

  it("use, for timed runs, metrics that a run leaves behind", async () => {
    const text = await runMetrics("0", nothingYet, { good: true, endedAt: 0 });
    const left = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
    expect(timerAlerts.length).toBeGreaterThan(4);
    for (const { expr } of timerAlerts) {
      for (const name of metricsOf(expr)) expect(left, expr).toContain(name);
    }
  });

  it("name for each alert the document that says what to do", () => {
    const runbook = readFileSync(join(deploy, "../docs/operating.md"), "utf8");
    for (const { alert, annotations } of [...alerts, ...timerAlerts]) {
      expect(annotations.runbook).toBe(`docs/operating.md#${alert.toLowerCase()}`);
      expect(runbook).toContain(`### ${alert}\n`);
    }
  });

  it("explain each reason for which a person is skipped", () => {
    const runbook = readFileSync(join(deploy, "../docs/operating.md"), "utf8");
    const said = [...runbook.matchAll(/^\| skipped: `(\w+)`/gm)].map(([, code]) => code);
    const page = readFileSync(join(deploy, "../src/daemon/http/page/skipped.js"), "utf8");
    expect(said.sort()).toEqual([...skipCodes].sort());
    for (const code of skipCodes) expect(page).toContain(`  ${code}: "`);
  });

  it("place no panel over another", () => {
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
