import { finite } from "./gist.ts";
import type { Outputs } from "./model.ts";
import type { Feed } from "./windows.ts";

/** What the two heads that read everything say of one window. */
export interface Judged {
  /** Probability of a jailbreak. */
  readonly jailbreak: number;
  /** Places of the tokens, without marks, that may belong to an entity, ascending. */
  readonly places: Uint8Array;
  /** Their logits. (places * tags,) */
  readonly logits: Float32Array;
}

/**
 * By how much "O" leads in every token that counts as plainly outside of any entity, at least. Such tokens are most of any
 * text, and one like the other: not to keep their logits lets ten times as many windows be remembered.
 */
export const PLAIN = 8;

/** Takes from a window's outputs what is worth keeping. `tags`: how many tags there are. Throws NotFinite. */
export function judged(out: Outputs, tags: number, jailbreak: number): Judged {
  const found: number[] = [];
  // One that is no number makes the sum none; beside it, no token would seem to belong to an entity.
  finite(
    out.tags.reduce((sum, logit) => sum + logit, 0),
    "tag",
  );
  const tokens = out.tags.length / tags - 2;
  for (let place = 0; place < tokens; place++) {
    const row = (place + 1) * tags;
    const outside = out.tags[row]! - PLAIN;
    for (let tag = 1; tag < tags; tag++) {
      if (out.tags[row + tag]! > outside) {
        found.push(place);
        break;
      }
    }
  }
  const places = Uint8Array.from(found);
  const logits = new Float32Array(found.length * tags);
  for (const [i, place] of found.entries()) {
    const row = (place + 1) * tags;
    logits.set(out.tags.subarray(row, row + tags), i * tags);
  }
  return { jailbreak, places, logits };
}

/** Map entry, array headers and the like, roughly. */
const OVERHEAD = 400;

/**
 * Judged windows, the ones used last, up to `mostBytes`. A system prompt, tools and the history come again with every turn,
 * in the same windows. The key is the window itself, so that no other can be made to take its place.
 */
export class Remembered {
  readonly #mostBytes: number;
  readonly #entries = new Map<string, Judged>();
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Judged | undefined {
    const found = this.#entries.get(key);
    if (found) {
      this.#entries.delete(key);
      this.#entries.set(key, found);
    }
    return found;
  }

  put(key: string, value: Judged): void {
    this.#drop(key);
    this.#entries.set(key, value);
    this.#bytes += sizeOf(key, value);
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#mostBytes) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const value = this.#entries.get(key);
    if (!value) return;
    this.#entries.delete(key);
    this.#bytes -= sizeOf(key, value);
  }
}

const sizeOf = (key: string, { places, logits }: Judged): number =>
  key.length + places.byteLength + logits.byteLength + OVERHEAD;

/** All of a window as a string of one byte per character. */
export function keyOf({ ids, cases }: Feed): string {
  const packed = Int32Array.from(ids, (id, i) => (id << 2) | cases[i]!);
  return Buffer.from(packed.buffer).toString("latin1");
}
