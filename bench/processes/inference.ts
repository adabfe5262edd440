import { readFileSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Wants } from "../../src/models/encode.ts";
import { type ModelEncoder, startEncoder } from "../../src/models/encoder.ts";
import { readTokenizer } from "../../src/models/wordpiece/tokenizer.ts";
import { answerParent } from "../lib/role.ts";
import { best, median } from "../lib/stats.ts";
import { type Language, textMaker } from "../lib/texts.ts";

/** The embedded model as the product runs it: `src/models` with its threads, in a process of its own. */

export interface Setup {
  readonly workers: number;
  readonly threads: number;
}

/** What texts to read. */
export interface Reads {
  readonly language: Language;
  /** Of each text, its marks included. */
  readonly tokens: number;
}

export interface Served {
  /** Of each request, from the call to its answer. */
  readonly ms: readonly number[];
  readonly seconds: number;
  /** Of the whole process for one request, all its threads. */
  readonly cpuMs: number;
  /** Passes through the graph for one request, and their tokens. */
  readonly windows: number;
  readonly windowTokens: number;
}

const wants: Wants = { category: true, jailbreak: true, entities: true, embedding: true };
const never = new AbortController().signal;
/** Another model of the same form can be measured before it is shipped. */
const folder = process.env.BENCH_MODELS ?? fileURLToPath(new URL("../../models", import.meta.url));
const tokenizerJson = readFileSync(join(folder, "tokenizer.json"), "utf8");
const tokenizer = readTokenizer(tokenizerJson);
/** The least that makes a median. */
const fewest = 8;
let encoder: ModelEncoder;

async function read(text: string): Promise<{ ms: number; windows: number; tokens: number }> {
  const start = performance.now();
  const { effort } = await encoder.encode({ texts: [text], focus: 0 }, wants, never);
  if (effort.remembered > 0) throw new Error("a window was remembered: the bench must not repeat its texts");
  return { ms: performance.now() - start, windows: effort.windows, tokens: effort.tokens };
}

/** One maker for each kind of text: a second one would begin again with the same texts. */
const makers = new Map<string, () => string>();

function textsOf({ language, tokens }: Reads, count: number): string[] {
  const key = `${language} ${tokens}`;
  const make = makers.get(key) ?? textMaker(tokenizer, language, tokens);
  makers.set(key, make);
  return Array.from({ length: count }, make);
}

/** Each client asks again when it is answered, for about `forMs` together. */
async function load({
  clients,
  forMs,
  ...reads
}: Reads & { clients: number; forMs: number }): Promise<Served> {
  const tried: number[] = [];
  for (const text of textsOf(reads, 4)) tried.push((await read(text)).ms);
  // All texts are there before the clock starts.
  const texts = textsOf(reads, Math.max(fewest, Math.ceil(forMs / median(tried))));
  const count = texts.length;
  const ms: number[] = [];
  let [windows, windowTokens] = [0, 0];
  const start = performance.now();
  const cpu = process.cpuUsage();
  const client = async () => {
    for (let text = texts.pop(); text !== undefined; text = texts.pop()) {
      const one = await read(text);
      ms.push(one.ms);
      windows += one.windows;
      windowTokens += one.tokens;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const { user, system } = process.cpuUsage(cpu);
  return {
    ms,
    seconds: (performance.now() - start) / 1000,
    cpuMs: (user + system) / 1000 / count,
    windows: windows / count,
    windowTokens: windowTokens / count,
  };
}

/** Requests at fixed times: by how many ms, p99.9, the event loop was late for a timer of one millisecond. */
async function lateness({
  perSecond,
  forMs,
  reading,
  ...reads
}: Reads & { perSecond: number; forMs: number; reading: boolean }): Promise<number> {
  const texts = textsOf(reads, Math.ceil((forMs / 1000) * perSecond));
  const asked = texts.length;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const pending: Promise<unknown>[] = [];
  const start = performance.now();
  delay.enable();
  for (let i = 0; i < asked; i += 1) {
    const wait = start + (i / perSecond) * 1000 - performance.now();
    if (wait > 0) await sleep(wait);
    if (reading) pending.push(read(texts[i]!));
  }
  // Also where so few are asked that the last one comes early.
  await sleep(Math.max(0, start + forMs - performance.now()));
  delay.disable();
  await Promise.all(pending);
  // What is recorded is the whole step, and a step on time takes the resolution.
  return delay.percentile(99.9) / 1e6 - 1;
}

/** µs for one text: with words that are all known already, and with a tokenizer that has seen none. */
function tokenise({ language, tokens }: Reads): { warm: number; cold: number } {
  const texts = textsOf({ language, tokens }, 64);
  const once = (by: typeof tokenizer) => {
    const start = performance.now();
    for (const text of texts) by.tokenise(text);
    return ((performance.now() - start) * 1000) / texts.length;
  };
  const warm = best(Array.from({ length: 20 }, () => once(tokenizer)));
  // One text alone: in the next one many words would be known. What is set up on first use is not counted.
  const cold = Array.from({ length: 5 }, () => {
    const fresh = readTokenizer(tokenizerJson);
    fresh.tokenise(language === "English" ? "a" : "我");
    const start = performance.now();
    fresh.tokenise(texts[0]!);
    return (performance.now() - start) * 1000;
  });
  return { warm, cold: median(cold) };
}

answerParent({
  /** Milliseconds from the start of this process until the model has passed its self-test. */
  async start({ workers, threads }: Setup): Promise<number> {
    encoder = await startEncoder({ path: folder, workers, threads, deadlineMs: 60_000 });
    return performance.now();
  },
  load,
  lateness,
  tokenise,
});
