import { type Completed, type CompletedOption, firstWords, groups } from "./words.ts";

// The bash that macOS has is 3.2: no mapfile, no compopt.

/** The script for bash. */
export function bash(all: readonly Completed[]): string {
  const serve = all.find(({ name }) => name === "serve")!;
  return `# Completion of semantic-router for bash.
_semantic_router() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}"
  # "--option=value" comes in three words.
  if [[ $cur == = ]]; then cur=
  elif [[ $prev == = ]]; then prev="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _semantic_router_words ${quoted([...firstWords(all).map(([word]) => word), ...flags(serve.options), "--version"])}
    return
  fi
  case "$command" in
    -*) command=serve ;;
${[...groups(all)].map(([first, words]) => group(first, words)).join("\n")}
  esac
  case "$command $prev" in
${all.flatMap(valueCases).join("\n")}
  esac
  case "$command" in
${all.map((one) => (one.name === "help" ? helpCase(all, one) : commandCase(one))).join("\n")}
  esac
}
_semantic_router_words() {
  local word
  for word in "$@"; do
    if [[ $word == "$cur"* ]]; then COMPREPLY+=("$word"); fi
  done
}
_semantic_router_files() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY+=($(compgen "$1" -- "$cur"))
}
complete -F _semantic_router semantic-router
`;
}

const flags = (options: readonly CompletedOption[]): string[] => options.map(({ name }) => `--${name}`);

const quoted = (words: readonly string[]): string =>
  words.map((word) => (/^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");

function group(first: string, words: readonly (readonly [string, string])[]): string {
  return `    ${first})
      if ((COMP_CWORD == 2)); then _semantic_router_words ${quoted(words.map(([word]) => word))} --help; return; fi
      command="${first} \${COMP_WORDS[2]}" ;;`;
}

const filled = (what: CompletedOption["value"]): string => {
  if (what === "files") return "_semantic_router_files -f";
  if (what === "folders") return "_semantic_router_files -d";
  return what === "anything" || what === undefined ? ":" : `_semantic_router_words ${quoted(what)}`;
};

const valueCases = ({ name, options }: Completed): string[] =>
  options.flatMap((option) =>
    option.value === undefined ? [] : [`    "${name} --${option.name}") ${filled(option.value)}; return ;;`],
  );

/** The words of a command, which may be two. */
function helpCase(all: readonly Completed[], { takes }: Completed): string {
  const second = [...groups(all)].map(
    ([first, words]) => `3\\ ${first}) _semantic_router_words ${quoted(words.map(([word]) => word))} ;;`,
  );
  return `    "help")
      case "$COMP_CWORD \${COMP_WORDS[2]}" in
        2\\ *) ${filled(takes)} ;;
        ${second.join("\n        ")}
      esac ;;`;
}

function commandCase({ name, takes, options }: Completed): string {
  const words = options.length > 0 ? [`_semantic_router_words ${quoted(flags(options))}`] : [];
  const own = takes === undefined ? [] : [filled(takes)];
  // Names of files would drown the options, and the other way round.
  const both =
    words.length > 0 && own.length > 0
      ? `if [[ $cur == -* ]]; then ${words[0]}; else ${own[0]}; fi`
      : undefined;
  return `    "${name}") ${both ?? words[0] ?? own[0] ?? ":"} ;;`;
}
