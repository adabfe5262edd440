import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./settings.ts";

const { config } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  config: { processor_flags: string };
};

/**
 * Arguments for Node that run the processor. The heap limits keep its memory flat: V8 otherwise lets garbage grow with
 * the memory of the machine, not with what is needed (bench/README.md has the figures).
 */
export const processorArgs = (...args: readonly string[]): string[] => [
  "--disable-warning=ExperimentalWarning",
  ...config.processor_flags.split(" "),
  join(ROOT, "src", "main.ts"),
  ...args,
];
