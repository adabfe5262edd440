import { type Completed, type CompletedOption, firstWords, groups } from "./words.ts";

/** The script for zsh: to be sourced after compinit, or put as _semantic-router into a folder of fpath. */
export function zsh(all: readonly Completed[]): string {
  const serve = all.find(({ name }) => name === "serve")!;
  const version = "'--version[the router'\\''s version]'";
  return `#compdef semantic-router
# Completion of semantic-router for zsh.
_semantic_router() {
  local command="$words[2]"
  if (( CURRENT == 2 )); then
    local -a known
    known=(
${firstWords(all).map(described("      ")).join("\n")}
    )
    _describe command known
    _arguments ${serve.options.map(optionSpec).join(" ")} ${version}
    return
  fi
  case "$command" in
    -*) command=serve ;;
${[...groups(all)].map(([first, words]) => group(first, words)).join("\n")}
    *) shift words; (( CURRENT-- )) ;;
  esac
  case "$command" in
${all.map((one) => (one.name === "help" ? helpCase(all, one) : commandCase(one))).join("\n")}
  esac
}
# Sourced, it is to be registered; loaded from fpath, it is called.
if [[ "$funcstack[1]" == _semantic-router ]]; then _semantic_router "$@"; else compdef _semantic_router semantic-router; fi
`;
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Within _arguments brackets and colons have a meaning. */
const plain = (text: string): string => text.replace(/[[\]:\\]/g, "\\$&");

const described =
  (indent: string) =>
  ([word, summary]: readonly [string, string]): string =>
    `${indent}${quote(`${word}:${plain(summary)}`)}`;

function group(first: string, words: readonly (readonly [string, string])[]): string {
  return `    ${first})
      if (( CURRENT == 3 )); then
        local -a known
        known=(
${words.map(described("          ")).join("\n")}
        )
        _describe command known
        return
      fi
      command="${first} $words[3]"; shift 2 words; (( CURRENT -= 2 )) ;;`;
}

function filled(what: CompletedOption["value"]): string {
  if (what === "files") return "_files";
  if (what === "folders") return "_files -/";
  if (what === "anything" || what === undefined) return " ";
  return `(${what.join(" ")})`;
}

function optionSpec({ name, description, value, many }: CompletedOption): string {
  const argument = value === undefined ? "" : `:${name}:${filled(value)}`;
  // With = behind it, both "--option value" and "--option=value" are completed.
  return quote(
    `${many ? "*" : ""}--${name}${value === undefined ? "" : "="}[${plain(description)}]${argument}`,
  );
}

/** The words of a command, which may be two. */
function helpCase(all: readonly Completed[], { takes }: Completed): string {
  const second = [...groups(all)].map(
    ([first, words]) => `3\\ ${first}) compadd -- ${words.map(([word]) => word).join(" ")} ;;`,
  );
  return `    "help")
      case "$CURRENT $words[2]" in
        2\\ *) compadd -- ${Array.isArray(takes) ? takes.join(" ") : ""} ;;
        ${second.join("\n        ")}
      esac ;;`;
}

function commandCase({ name, takes, options }: Completed): string {
  const specs = options.map(optionSpec);
  if (takes !== undefined) specs.push(quote(`*:argument:${filled(takes)}`));
  return `    "${name}") _arguments ${specs.length > 0 ? specs.join(" ") : "':::'"} ;;`;
}
