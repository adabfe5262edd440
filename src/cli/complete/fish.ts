import { type Completed, type CompletedOption, firstWords, groups } from "./words.ts";

const at = "complete -c semantic-router";

/** The script for fish. */
export function fish(all: readonly Completed[]): string {
  const serve = all.find(({ name }) => name === "serve")!;
  return `# Completion of semantic-router for fish.
# The command on the line so far; empty where none is named, and options alone belong to serve.
function __semantic_router_command
    set -l words (commandline -opc)
    switch "$words[2]"
        case '-*'
            echo serve
        case help ${[...groups(all).keys()].join(" ")}
            echo "$words[2] $words[3]"
        case '*'
            echo "$words[2]"
    end
end
function __semantic_router_at
    test (__semantic_router_command | string trim) = "$argv"
end
${at} -f
${[
  ...firstWords(all).map(([word, summary]) => line("", `-a ${word} -d ${quote(summary)}`)),
  ...serve.options.map((option) => line("", optionWords(option))),
  line("", "-l version -d 'the router\\'s version'"),
  ...[...groups(all)].flatMap(([first, words]) =>
    words.map(([word, summary]) => line(first, `-a ${word} -d ${quote(summary)}`)),
  ),
  ...[...groups(all)].flatMap(([first, words]) =>
    words.map(([word, summary]) => line(`help ${first}`, `-a ${word} -d ${quote(summary)}`)),
  ),
  ...all.flatMap(({ name, takes, options }) => [
    ...options.map((option) => line(name, optionWords(option))),
    ...(takes === undefined ? [] : [line(name, takes === "files" ? "-F" : `-a ${quote(takes.join(" "))}`)]),
  ]),
].join("\n")}
`;
}

const quote = (text: string): string => `'${text.replace(/['\\]/g, "\\$&")}'`;

const line = (command: string, rest: string): string =>
  `${at} -n ${quote(`__semantic_router_at ${command}`.trimEnd())} ${rest}`;

function optionWords({ name, description, value }: CompletedOption): string {
  const words = `-l ${name} -d ${quote(description)}`;
  if (value === undefined) return words;
  if (value === "files") return `${words} -r -F`;
  if (value === "folders") return `${words} -x -a '(__fish_complete_directories)'`;
  return value === "anything" ? `${words} -x` : `${words} -x -a ${quote(value.join(" "))}`;
}
