import { InferenceSession, Tensor } from "onnxruntime-node";
import type { About } from "./about.ts";
import type { Encoding, Entity, Wants } from "./encode.ts";
import { decodeEntities, mergeEntities } from "./entities.ts";
import { BUCKETS, features } from "./features.ts";
import { recognise } from "./recognisers.ts";
import { TOKEN_FEATURES, type Tokens, tokenIds, tokenise } from "./tokens.ts";

const TOKENS_PER_RUN = 1024;
const WINDOWS_PER_RUN = 16;
const EMPTY = new Float32Array(0);

/** Texts to encodings on the calling thread. */
export interface Model {
  /** `stopped` is asked between runs; once it says yes the promise rejects. */
  encode(text: string, wants: Wants, stopped: () => boolean): Promise<Encoding>;
  close(): Promise<void>;
}

interface Feeds {
  text: Int32Array;
  embed: Int32Array;
  numbers: number;
  guard: Int32Array;
  windows: number;
  tokens: Int32Array;
}

/** Loads the graph at `path`. Memory: about the file's size and the largest batch. */
export async function loadModel(path: string, about: About): Promise<Model> {
  const session = await InferenceSession.create(path, {
    executionProviders: ["cpu"],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    enableCpuMemArena: false,
    enableMemPattern: false,
  });

  async function run(feeds: Partial<Feeds>): Promise<Record<string, Tensor>> {
    const text = feeds.text ?? NOTHING;
    const embed = feeds.embed ?? NOTHING;
    const guard = feeds.guard ?? NOTHING;
    const windows = feeds.windows ?? 1;
    const tokens = feeds.tokens ?? NO_TOKENS;
    return session.run({
      text_ids: new Tensor("int32", text, [text.length]),
      embed_ids: new Tensor("int32", embed, [embed.length]),
      number_id: new Tensor("int32", Int32Array.of(feeds.numbers ?? BUCKETS), [1]),
      guard_ids: new Tensor("int32", guard, [windows, guard.length / windows]),
      token_ids: new Tensor("int32", tokens, [tokens.length / TOKEN_FEATURES, TOKEN_FEATURES]),
    });
  }

  async function encode(text: string, wants: Wants, stopped: () => boolean): Promise<Encoding> {
    const first: Partial<Feeds> = {};
    const parts = wants.jailbreak ? windowsOf(text, about.windows) : [];
    const whole = wants.category || wants.embedding || parts[0] === text ? features(text) : undefined;
    if (wants.category && whole) first.text = capped(whole.all, about.features.limit);
    if (wants.embedding && whole) {
      first.embed = capped(whole.embed, about.features.limit);
      first.numbers = whole.numbers;
    }
    // The first part may be the whole text, several windows long: alone, it makes no others be padded to its width.
    const guard = (from: number, to: number): Partial<Feeds> =>
      padded(parts.slice(from, to).map((part) => (whole && part === text ? whole : features(part)).all));
    const tokens = wants.entities ? tokenise(text) : NO_SPANS;
    if (tokens.starts.length > 0) first.tokens = tokenIds(text, tokens, 0, blockEnd(text, tokens, 0));

    const out = await run({ ...first, ...guard(0, 1) });
    let jailbreak = wants.jailbreak ? highest(out.jailbreak) : 0;
    for (let i = 1; i < parts.length; i += WINDOWS_PER_RUN) {
      if (stopped()) throw new Error("stopped");
      jailbreak = Math.max(jailbreak, highest((await run(guard(i, i + WINDOWS_PER_RUN))).jailbreak));
    }
    return {
      embedding: wants.embedding ? floats(out.embedding) : EMPTY,
      category: wants.category ? floats(out.category) : EMPTY,
      jailbreak,
      entities: wants.entities ? await entities(text, tokens, floats(out.entities), stopped) : [],
    };
  }

  async function entities(
    text: string,
    tokens: Tokens,
    head: Float32Array,
    stopped: () => boolean,
  ): Promise<readonly Entity[]> {
    const count = tokens.starts.length;
    const guessed: Entity[] = [];
    for (let from = 0; from < count; ) {
      if (stopped()) throw new Error("stopped");
      const to = blockEnd(text, tokens, from);
      const scores =
        from === 0 ? head : floats((await run({ tokens: tokenIds(text, tokens, from, to) })).entities);
      guessed.push(...decodeEntities(text, tokens, from, scores, about.entity_labels));
      from = to;
    }
    return mergeEntities(recognise(text), guessed);
  }

  return { encode, close: () => session.release() };
}

// Blocks of tokens are decoded one by one, so they end where a sentence does if one ends nearby.
function blockEnd(text: string, tokens: Tokens, from: number): number {
  const full = from + TOKENS_PER_RUN;
  if (full >= tokens.starts.length) return tokens.starts.length;
  for (let t = full; t > full - 128; t--) {
    if (".!?。！？;；".includes(text.charAt(tokens.starts[t - 1] as number))) return t;
  }
  return full;
}

const NOTHING = Int32Array.of(BUCKETS);
const NO_TOKENS = new Int32Array(TOKEN_FEATURES);
const NO_SPANS: Tokens = { starts: new Int32Array(0), ends: new Int32Array(0) };

function floats(tensor: Tensor | undefined): Float32Array {
  return (tensor as Tensor).data as Float32Array;
}

function highest(tensor: Tensor | undefined): number {
  return floats(tensor).reduce((a, b) => Math.max(a, b), 0);
}

// Chosen by value and not by place, so that texts that are alike keep features that are alike.
function capped(ids: Int32Array, limit: number): Int32Array {
  if (ids.length === 0) return NOTHING;
  if (ids.length <= limit) return ids;
  const step = Math.ceil(ids.length / limit);
  const kept = ids.filter((id) => id % step === 0);
  return kept.length > 0 ? kept : ids.subarray(0, limit);
}

function windowsOf(text: string, { size, stride, whole }: About["windows"]): string[] {
  const parts = text.length <= whole ? [text] : [];
  for (let start = 0; start < text.length - size + stride; start += stride) {
    parts.push(text.slice(start, start + size));
  }
  return parts;
}

function padded(lists: readonly Int32Array[]): Partial<Feeds> {
  if (lists.length === 0) return {};
  const width = lists.reduce((n, ids) => Math.max(n, ids.length), 1);
  const guard = new Int32Array(lists.length * width).fill(BUCKETS);
  for (const [i, ids] of lists.entries()) guard.set(ids, i * width);
  return { guard, windows: lists.length };
}
