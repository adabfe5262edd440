import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./settings.ts";

const { config } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  config: { processor_flags: string };
};

/**
 * Arguments for Node that run the processor. A young generation of fixed size keeps its memory flat at no cost: V8
 * otherwise starts small, and what outlives that grows the heap for good (bench/README.md has the figures).
 */
export const processorArgs = (...args: readonly string[]): string[] => [
  "--disable-warning=ExperimentalWarning",
  ...config.processor_flags.split(" "),
  join(ROOT, "src", "main.ts"),
  ...args,
];
