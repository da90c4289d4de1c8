import { allOf, type Completable, type CompletableOption, type Value } from "./completable.ts";

/**
 * The script for bash, from version 3.2 (macOS). bash treats `=` as a word of its own, so that `--format=json` is three words.
 * A value that is not a file, a choice or a job is not completed.
 */
export function bashScript(program: string, root: Completable): string {
  const name = `_${program.replaceAll("-", "_")}`;
  const commands = allOf(root);
  return `\
# bash completion of ${program}, printed by "${program} completion bash".
${name}_jobs() {
  local i config=()
  for ((i = 1; i < COMP_CWORD - 1; i++)); do
    [[ \${COMP_WORDS[i]} == "--config" ]] || continue
    [[ \${COMP_WORDS[i+1]} == "=" ]] && i=$((i + 1))
    config=(--config "\${COMP_WORDS[i+1]}")
  done
  "\${COMP_WORDS[0]}" config jobs \${config[@]+"\${config[@]}"} 2> /dev/null
}
${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" at=$COMP_CWORD path="" option="" between="" words="" files="" more=yes i
  COMPREPLY=()
  if [[ $current == "=" ]]; then
    current="" more=""
  elif [[ $at -gt 1 && \${COMP_WORDS[at-1]} == "=" ]]; then
    at=$((at - 1)) more=""
  fi
  for ((i = 1; i < at; i++)); do
    case "$path/\${COMP_WORDS[i]}" in
      ${commands
        .filter(({ path }) => path.length > 0)
        .map((command) => `"${keyOf(command)}"`)
        .join(" | ")}) path="$path/\${COMP_WORDS[i]}" ;;
      *) break ;;
    esac
  done
  # The option before the word: the nearest one, and whether a value of it is there already.
  for ((i = at - 1; i > 0; i--)); do
    if [[ \${COMP_WORDS[i]} == -* ]]; then
      option="\${COMP_WORDS[i]}"
      break
    fi
    between=yes
  done
  case "$path $option $between" in
${commands.flatMap((command) => command.options.map((option) => valueCase(name, command, option))).join("")}\
  esac
  if [[ -n $more ]]; then
    case "$path" in
${commands.map(commandCase).join("")}\
    esac
  fi
  local IFS=$'\\n'
  if [[ -n $files ]]; then
    compopt -o filenames 2> /dev/null
    COMPREPLY=($(compgen -f -- "$current"))
  fi
  IFS=$' \\n'
  COMPREPLY+=($(compgen -W "$words" -- "$current"))
}
complete -F ${name} ${program}
`;
}

function keyOf({ path }: Completable): string {
  return path.map((word) => `/${word}`).join("");
}

function valueCase(name: string, command: Completable, { forms, value }: CompletableOption): string {
  if (value === null) return "";
  const patterns = forms.map((form) => `"${keyOf(command)} ${form} "${value.variadic ? "*" : ""}`);
  // After an option that needs no value, or that has its value, another option can follow.
  const last = value.optional ? [] : [value.variadic ? '[[ -n $between ]] || more=""' : 'more=""'];
  return `    ${patterns.join(" | ")}) ${[...offer(name, value), ...last].join("; ")} ;;\n`;
}

function offer(name: string, { kind, choices }: Value): readonly string[] {
  if (kind === "free") return [];
  if (kind === "job") return [`words="$(${name}_jobs)"`];
  return [kind === "file" ? "files=yes" : `words="${choices.join(" ")}"`];
}

function commandCase(command: Completable): string {
  const options = command.options.flatMap(({ forms }) => forms);
  const words = [
    ...command.below.map(({ path }) => path.at(-1)),
    ...command.values.flatMap(({ choices }) => choices),
  ];
  const files = command.values.some(({ kind }) => kind === "file")
    ? "; [[ $current == -* ]] || files=yes"
    : "";
  return `      "${keyOf(command)}") words="$words ${[...words, ...options].join(" ")}"${files} ;;\n`;
}
