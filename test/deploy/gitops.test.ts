import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { workplace } from "../config/workplace.ts";
import { workflowFaults } from "./workflow-faults.ts";

const root = join(import.meta.dirname, "../..");
const name = "deploy/gitops/plan.yml";
const workflow = readFileSync(join(root, name), "utf8");

interface Step {
  readonly name?: string;
  readonly run?: string;
}
const { permissions, jobs } = parse(workflow) as {
  readonly permissions: object;
  readonly jobs: { readonly plan: { readonly permissions: object; readonly steps: readonly Step[] } };
};

const script = jobs.plan.steps.find((step) => step.name === "Compare")?.run ?? "";

/** Runs the script of the workflow as a runner does, with these configurations. */
function compare(before: string, after: string): { code: number | null; comment: string; errors: string } {
  const folder = workplace({
    "before/azure-lattice-sync.yaml": before,
    "after/azure-lattice-sync.yaml": after,
  });
  const tools = join(folder, "tools");
  mkdirSync(tools);
  const command = join(tools, "azure-lattice-sync");
  writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" "${join(root, "src/cli.ts")}" "$@"\n`);
  chmodSync(command, 0o755);
  const { status, stderr } = spawnSync("bash", ["-e", "-c", script], {
    cwd: folder,
    encoding: "utf8",
    env: {
      PATH: `${tools}:${process.env.PATH}`,
      RUNNER_TEMP: folder,
      GITHUB_STEP_SUMMARY: join(folder, "summary.md"),
    },
  });
  return { code: status, comment: readFileSync(join(folder, "comment.md"), "utf8"), errors: stderr };
}

describe("the workflow for a pull request", () => {
  it("is accepted by GitHub's own parser", async () => {
    expect(await workflowFaults(name, workflow)).toEqual([]);
    expect(await workflowFaults(name, workflow.replace("runs-on:", "runs-at:"))).not.toEqual([]);
  });

  it("pins every action to its commit, has only the rights that it needs, and inserts no foreign text into a script", () => {
    const uses = [...workflow.matchAll(/uses: (.*)/g)].map(([, action]) => action);
    expect(uses.length).toBeGreaterThan(2);
    for (const action of uses) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    expect(permissions).toEqual({});
    expect(jobs.plan.permissions).toEqual({ contents: "read", "pull-requests": "write" });
    for (const { run = "" } of jobs.plan.steps) expect(run).not.toContain("$" + "{{");
  });

  it.runIf(process.platform !== "win32")(
    "writes what changes and who would be planned otherwise into the comment",
    { timeout: 120_000 },
    () => {
      const { code, comment, errors } = compare("onNull: clear\n", "onNull: clear\nguard: { window: 3h }\n");
      expect({ code, errors }).toMatchObject({ code: 0 });
      expect(comment).toContain("guard.window: ");
      expect(comment).toContain("both plan the same");
      expect(comment).not.toContain("not everyone is shown");
      const mapping = readFileSync(join(root, "config/default-mapping.yaml"), "utf8");
      const longer = `Join(" ", ToUpper([jobTitle])${", [displayName]".repeat(12)})`;
      const rules = parse(mapping).map((rule: { target: string }) =>
        rule.target === "title" ? { target: "title", expression: longer } : rule,
      );
      const changed = compare("onNull: clear\n", JSON.stringify({ mapping: rules }));
      expect(changed).toMatchObject({ code: 0 });
      expect(changed.comment).toContain("Everybody is planned again");
      expect(changed.comment).toMatch(/\d+ people are planned otherwise/);
      expect(changed.comment.length).toBeLessThan(65_536);
      expect(changed.comment).toMatch(/not everyone is shown\.\*\*\n$/);
    },
  );

  it.runIf(process.platform !== "win32")(
    "fails if the new configuration is not valid",
    { timeout: 60_000 },
    () => {
      const { code, errors } = compare("onNull: clear\n", "guard: { nonsense: 1 }\n");
      expect(code).toBe(64);
      expect(errors).toContain("nonsense");
    },
  );
});
