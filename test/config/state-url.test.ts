import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { usageLines, workplace } from "./workplace.ts";

const url = "postgres://als:pass-word-1@db.example.com/als";

describe("the URL of the state", () => {
  it("is read from a file that a variable names, and takes the place of the path in the configuration file", () => {
    const cwd = workplace({ "c.yaml": "state: { path: file.db }", secret: `${url}\n` });
    const { config, settings } = loadConfig({ file: "c.yaml", env: { ALS_STATE_URL_FILE: "secret" }, cwd });
    expect(config.state.url?.reveal()).toBe(url);
    expect(JSON.stringify(settings)).not.toContain("pass-word-1");
  });

  it("is refused next to a path that is given at the same level", () => {
    const cwd = workplace({ "c.yaml": `state: { path: file.db, url: "${url}" }` });
    const lines = usageLines(() => loadConfig({ file: "c.yaml", env: {}, cwd })).join("\n");
    expect(lines).toMatch(/c\.yaml:1:\d+: state\.url and state\.path are both set; keep only one/);
    expect(lines).not.toContain("pass-word-1");
  });

  it.each(["db.example.com", "https://db.example.com", "postgres:///als", "mysql://db.example.com/als"])(
    "is refused if it is %s, without its value in the message",
    (wrong) => {
      const cwd = workplace({});
      const env = { ALS_STATE_URL: `${wrong}#pass-word-1` };
      const lines = usageLines(() => loadConfig({ env, cwd })).join("\n");
      expect(lines).toMatch(
        /ALS_STATE_URL.*must be a URL such as postgres:\/\/user:password@db\.example\.com/,
      );
      expect(lines).not.toContain("pass-word-1");
      expect(lines).not.toContain("but is");
    },
  );
});
