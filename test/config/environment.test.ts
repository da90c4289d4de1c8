import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { environmentVariables, readVariable } from "../../src/config/environment.ts";
import { loadConfig } from "../../src/config/load.ts";
import { usageLines, workplace } from "./workplace.ts";

describe("a variable given as NAME_FILE", () => {
  it.each(environmentVariables)("works for $name", ({ name }) => {
    const cwd = workplace({ "run/value": "from-file" });
    expect(readVariable({ [`${name}_FILE`]: "run/value" }, name, cwd)).toEqual({
      value: "from-file",
      variable: `${name}_FILE`,
    });
  });

  it.each([
    ["s3cret\n", "s3cret"],
    ["s3cret\r\n", "s3cret"],
    ["s3cret", "s3cret"],
  ])("loses one line break at its end: %j", (content, value) => {
    const cwd = workplace({ secret: content });
    const { config } = loadConfig({ env: { LATTICE_API_KEY_FILE: join(cwd, "secret") }, cwd });
    expect(config.lattice.token?.reveal()).toBe(value);
  });

  it("also names the configuration file", () => {
    const cwd = workplace({ where: "c.yaml\n", "c.yaml": "onNull: keep" });
    expect(loadConfig({ env: { ALS_CONFIG_FILE: "where" }, cwd }).config.onNull).toBe("keep");
  });

  it("is an error if the file is missing, empty or has more than one line", () => {
    const cwd = workplace({ empty: "\n", two: "canary\ncanary\n" });
    const lines = (path: string) =>
      usageLines(() => loadConfig({ env: { AZURE_CLIENT_SECRET_FILE: path }, cwd }));
    expect(lines("none")).toEqual([
      "AZURE_CLIENT_SECRET_FILE names none, which cannot be read: there is no such file",
    ]);
    expect(lines("empty")).toEqual(["AZURE_CLIENT_SECRET_FILE names empty, which is empty"]);
    expect(lines("two")).toEqual([
      "AZURE_CLIENT_SECRET_FILE names two, which has more than one line; it must hold only the value",
    ]);
  });

  it("is an error if NAME is set too", () => {
    const cwd = workplace({ secret: "canary" });
    const env = { LATTICE_API_KEY: "canary", LATTICE_API_KEY_FILE: "secret" };
    expect(usageLines(() => loadConfig({ env, cwd }))).toEqual([
      "LATTICE_API_KEY and LATTICE_API_KEY_FILE are both set; keep only one",
    ]);
  });
});

describe("an empty variable", () => {
  it("counts as not set", () => {
    const cwd = workplace({ "c.yaml": "lattice: { token: from-file }", secret: "other" });
    const load = (env: Record<string, string>) =>
      loadConfig({ file: "c.yaml", env, cwd }).config.lattice.token?.reveal();
    expect(load({ LATTICE_API_KEY: "", LATTICE_API_KEY_FILE: "" })).toBe("from-file");
    expect(load({ LATTICE_API_KEY: "", LATTICE_API_KEY_FILE: "secret" })).toBe("other");
  });
});
