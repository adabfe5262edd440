import { startEncoder } from "../../src/models/encoder.ts";

/**
 * A process that ends with status 7 some milliseconds after its encoder has begun to read a very long text: `MS`, and a
 * directory where a guard of one's own is to read it.
 */
const [, , ms, guard] = process.argv;
const encoder = await startEncoder({
  workers: 1,
  own: guard === undefined ? [] : [{ task: "jailbreak", dir: guard }],
});
const others = guard === undefined;
const wants = { category: others, jailbreak: true, entities: others, embedding: others };
const texts = ["The museum opens at nine and closes at five. ".repeat(20_000)];
encoder.encode({ texts, focus: 0 }, wants, new AbortController().signal).catch(() => {});
setTimeout(() => process.exit(7), Number(ms));
