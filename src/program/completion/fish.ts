import { allOf, type Completable, type CompletableOption, type Value } from "./completable.ts";

/** The script for fish. */
export function fishScript(program: string, root: Completable): string {
  const at = `__${program.replaceAll("-", "_")}_at`;
  const jobs = `__${program.replaceAll("-", "_")}_jobs`;
  return `\
# fish completion of ${program}, printed by "${program} completion fish".
function ${at} --description "whether this command, and no word of another below it, is typed"
    set --local typed (commandline --tokenize --cut-at-cursor --current-process)
    set --local words $typed[2..]
    test (count $words) -ge (count $argv[2..]); or return 1
    test $argv[1] = within; or test (count $words) -eq (count $argv[2..]); or return 1
    for i in (seq 2 (count $argv))
        test "$typed[$i]" = "$argv[$i]"; or return 1
    end
end
function ${jobs} --description "the jobs of the configuration that is typed"
    set --local typed (commandline --tokenize --cut-at-cursor --current-process)
    set --local config (string match -- '--config=*' $typed)
    if set --local i (contains --index -- --config $typed)
        set config --config $typed[(math $i + 1)]
    end
    ${program} config jobs $config 2>/dev/null
end
complete --command ${program} --no-files
${allOf(root)
  .flatMap((command) => linesOf({ at, jobs }, command))
  .map((line) => `complete --command ${program} ${line}\n`)
  .join("")}`;
}

function linesOf(
  { at, jobs }: { readonly at: string; readonly jobs: string },
  command: Completable,
): readonly string[] {
  const condition = (where: string) => `--condition ${quoted([at, where, ...command.path].join(" "))}`;
  // Subcommands come right after their command, options anywhere after it.
  const own = condition(command.below.length > 0 ? "exactly" : "within");
  return [
    ...command.below.map(
      ({ path, description }) =>
        `${condition("exactly")} --arguments ${path.at(-1)} --description ${quoted(description)}`,
    ),
    ...command.values.filter(({ kind }) => kind !== "free").map((value) => `${own} ${offer(value, jobs)}`),
    ...command.options.map((option) => `${own} ${optionLine(option, jobs)}`),
  ];
}

function optionLine({ forms, description, value }: CompletableOption, jobs: string): string {
  const names = forms.map((form) =>
    form.startsWith("--") ? `--long-option ${form.slice(2)}` : `--short-option ${form.slice(1)}`,
  );
  // Without either of these, fish expects the value attached to the option.
  const takes =
    value === null
      ? []
      : value.optional
        ? [offer(value, jobs)]
        : [value.kind === "file" ? "--require-parameter" : "--exclusive", offer(value, jobs)];
  return [...names, ...takes, `--description ${quoted(description)}`].filter((part) => part !== "").join(" ");
}

function offer({ kind, choices }: Value, jobs: string): string {
  if (kind === "free") return "";
  if (kind === "job") return `--arguments '(${jobs})'`;
  return kind === "file" ? "--force-files" : `--arguments ${quoted(choices.join(" "))}`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
