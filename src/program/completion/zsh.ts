import { allOf, type Completable, type CompletableOption, type Value } from "./completable.ts";

/** The script for zsh, with a function for each command. It works from a folder of `fpath`, and when it is sourced. */
export function zshScript(program: string, root: Completable): string {
  return `\
#compdef ${program}
# zsh completion of ${program}, printed by "${program} completion zsh".
_${program}_jobs() {
  local -a config names
  local i=\${words[(I)--config]}
  config=(\${(M)words:#--config=*})
  (( i )) && config=(--config "\${(Q)words[i+1]}")
  names=(\${(f)"$(_call_program jobs ${program} config jobs "\${(@q)config}" 2> /dev/null)"})
  compadd -a names
}
${allOf(root)
  .toReversed()
  .map((command) => functionOf(program, command))
  .join("")}\
if [[ \${funcstack[1]} == ${nameOf(program, root)} ]]; then
  ${nameOf(program, root)} "$@"
else
  compdef ${nameOf(program, root)} ${program}
fi
`;
}

function nameOf(program: string, { path }: Completable): string {
  return `_${[program, ...path].join("_")}`;
}

function functionOf(program: string, command: Completable): string {
  const specs = command.options.map((option) => optionSpec(program, option));
  const name = nameOf(program, command);
  if (command.below.length === 0) {
    const all = [...specs, ...command.values.map((value) => quoted(`:${valueSpec(program, value)}`))];
    return `${name}() {\n  _arguments${all.map((spec) => ` \\\n    ${spec}`).join("")}\n}\n`;
  }
  const described = command.below.map(({ path, description }) => quoted(`${path.at(-1)}:${description}`));
  return `\
${name}() {
  local curcontext="$curcontext" context state state_descr line ret=1
  local -A opt_args
  local -a commands
  commands=(
${described.map((line) => `    ${line}\n`).join("")}\
  )
  _arguments -C${[...specs, "'1:command:->command'", "'*::arguments:->arguments'"].map((spec) => ` \\\n    ${spec}`).join("")} && ret=0
  case $state in
    command) _describe -t commands command commands && ret=0 ;;
    arguments)
      curcontext="\${curcontext%:*}-$line[1]:"
      case $line[1] in
${command.below.map((below) => `        ${below.path.at(-1)}) ${nameOf(program, below)} && ret=0 ;;\n`).join("")}\
      esac
      ;;
  esac
  return ret
}
`;
}

function optionSpec(program: string, { forms, description, value }: CompletableOption): string {
  const text = `[${description.replace(/[[\]\\]/g, "\\$&")}]`;
  const [first = "", second] = forms;
  if (second !== undefined) return `'(${forms.join(" ")})'{${first},${second}}${quoted(text)}`;
  if (value === null) return quoted(`${first}${text}`);
  // An optional value belongs to the option only if it is attached to it.
  if (value.optional) return quoted(`${first}=-${text}::${valueSpec(program, value)}`);
  // Each of several values is typed with its option: after a list of values zsh would offer no options.
  return quoted(`${value.variadic ? "*" : ""}${first}=${text}:${valueSpec(program, value)}`);
}

function valueSpec(program: string, { name, kind, choices }: Value): string {
  if (kind === "file") return `${name}:_files`;
  if (kind === "job") return `${name}:_${program}_jobs`;
  return kind === "choices" ? `${name}:(${choices.join(" ")})` : `${name}: `;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
