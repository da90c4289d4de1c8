import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quietProgram } from "./program.ts";

let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "als-completion-"));
  writeFileSync(join(folder, "plan one.yaml"), "");
  // Stands for the program: it has other jobs with another configuration.
  writeFileSync(
    join(folder, "azure-lattice-sync"),
    `#!/bin/sh
case "$*" in
  "config jobs") echo emea; echo us ;;
  "config jobs --config plan one.yaml" | "config jobs --config=plan.yaml" | "config jobs --config plan.yaml") echo apac ;;
  *) echo "unexpected: $*" >&2; exit 64 ;;
esac
`,
    { mode: 0o755 },
  );
  for (const shell of ["bash", "zsh", "fish"]) {
    const stdout = new PassThrough();
    await quietProgram(stdout).parseAsync(["completion", shell], { from: "user" });
    stdout.end();
    writeFileSync(join(folder, `completion.${shell}`), await text(stdout));
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const formats = ["html", "json", "markdown", "table"];
const cases: readonly { readonly line: string; readonly offers: readonly string[] }[] = [
  { line: "st", offers: ["state", "status"] },
  { line: "config c", offers: ["check"] },
  { line: "config check --c", offers: ["--config"] },
  { line: "sync --d", offers: ["--detailed-exitcode", "--dry-run"] },
  { line: "sync --format ", offers: formats },
  { line: "status --format ", offers: ["json", "table"] },
  { line: "history --action de", offers: ["deactivate"] },
  { line: "config check --config pl", offers: ["plan one.yaml"] },
  { line: "state backup pl", offers: ["plan one.yaml"] },
  { line: "sync --user ", offers: [] },
  { line: "sync --user kim.example@example.com --f", offers: ["--format", "--full"] },
  { line: "completion z", offers: ["zsh"] },
  { line: "nonsense --f", offers: [] },
  { line: "sync --job ", offers: ["emea", "us"] },
  { line: "status --job u", offers: ["us"] },
  { line: "sync --full --config plan.yaml --job ", offers: ["apac"] },
  { line: "config check --config plan.yaml --job ", offers: ["apac"] },
];

describe("completion in bash", () => {
  it.each(cases)("azure-lattice-sync $line", ({ line, offers }) => {
    expect(bash(line.split(" "))).toEqual(offers);
  });

  it("treats the equals sign as a separate word, as bash does", () => {
    expect(bash(["sync", "--format", "=", "j"])).toEqual(["json"]);
    expect(bash(["sync", "--sandbox", "="])).toEqual(["both", "lattice"]);
  });

  it("offers the jobs of a configuration that is given with an equals sign", () => {
    expect(bash(["sync", "--config", "=", "plan.yaml", "--job", "=", "a"])).toEqual(["apac"]);
  });

  it("offers further values of an option that takes several", () => {
    expect(bash(["history", "--action", "create", "up"])).toEqual(["update"]);
    expect(bash(["history", "--action", "create", "--out"])).toEqual(["--out", "--outcome"]);
  });

  it("does not offer files for a value that is not a file", () => {
    expect(bash(["status", "pl"])).toEqual([]);
  });
});

it.skipIf(missing("fish"))("completes in fish", () => {
  expect(fish(cases.map(({ line }) => line))).toEqual(cases);
});

it.skipIf(missing("zsh"))("completes in zsh", () => {
  expect(zsh(cases.map(({ line }) => line))).toEqual(cases);
});

/** Shells complain of a locale that is set and not installed. */
const env = { ...process.env, LC_ALL: "C" };
/** With the program that the test has made. */
const withProgram = (): NodeJS.ProcessEnv => ({ ...env, PATH: `${folder}:${process.env.PATH}` });

function missing(shell: string): boolean {
  return spawnSync(shell, ["--version"]).error !== undefined;
}

function bash(words: readonly string[]): readonly string[] {
  const { stdout, stderr } = spawnSync(
    "bash",
    [
      "--norc",
      "-c",
      `source completion.bash; COMP_WORDS=(azure-lattice-sync "$@"); COMP_CWORD=$#; _azure_lattice_sync; for found in "\${COMPREPLY[@]}"; do echo "$found"; done`,
      "bash",
      ...words,
    ],
    { cwd: folder, encoding: "utf8", env: withProgram() },
  );
  expect(stderr).toBe("");
  return stdout
    .split("\n")
    .filter((word) => word !== "")
    .sort();
}

/** Starts one for all lines. */
function fish(lines: readonly string[]): typeof cases {
  const script =
    'source completion.fish; for line in $argv; complete -C "azure-lattice-sync $line"; echo "<END>"; end';
  const found = execFileSync("fish", ["--no-config", "-c", script, ...lines], {
    cwd: folder,
    encoding: "utf8",
    env: withProgram(),
  });
  const answers = found.split("<END>\n");
  return lines.map((line, index) => {
    const words = (answers[index] ?? "").split("\n").filter((word) => word !== "");
    return { line, offers: words.map((word) => word.replace(/\t.*/, "").replaceAll("\\ ", " ")).sort() };
  });
}

/** Starts one for all lines. The words that it hands to its line editor are caught on the way. */
function zsh(lines: readonly string[]): typeof cases {
  const inside = `
    PS1=
    autoload -Uz compinit
    compinit -u -D
    source completion.zsh
    compadd() {
      local -a found
      builtin compadd -O found "$@"
      for one in $found; do print -r -- "<\${(Q)one}>"; done
      builtin compadd "$@"
    }
    zle -C completed complete-word _main_complete
    pressed() { zle completed; print -r -- "<END>"; zle kill-whole-line }
    zle -N pressed
    bindkey "^T" pressed
    print "<READY>"
  `;
  const outside = `
    zmodload zsh/zpty
    zpty worker zsh -f -i
    zpty -w worker 'source inside.zsh'
    zpty -r worker out '*<READY>*'
    for line in "$@"; do
      zpty -n -w worker "azure-lattice-sync $line"$'\\x14'
      zpty -r worker out '*<END>*'
      print -r -- "$out"
    done
  `;
  writeFileSync(join(folder, "inside.zsh"), inside);
  const { stdout } = spawnSync("zsh", ["-f", "-c", outside, "zsh", ...lines], {
    cwd: folder,
    encoding: "utf8",
    env: withProgram(),
    timeout: 20_000,
  });
  const answers = stdout.split("<END>");
  return lines.map((line, index) => {
    const found = (answers[index] ?? "<no answer>").matchAll(/<(?!READY)([^<>]+)>/g);
    return { line, offers: [...new Set([...found].map(([, word]) => word ?? ""))].sort() };
  });
}
