import { type Edit, edit } from "./aligned.ts";
import type { Normaliser } from "./normalise.ts";
import { Misfit } from "./part.ts";

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * SentencePiece's table of replacements: base64 of the trie's size in bytes (u32), the trie (u32 each), and the
 * replacements, each ended by a NUL. An empty table changes nothing.
 */
export function charsmap(base64: string): Normaliser {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length === 0) return (text) => text;
  const size = bytes.length < 4 ? 0 : bytes.readUInt32LE(0);
  if (size === 0 || size % 4 !== 0 || 4 + size > bytes.length) {
    throw new Misfit("the normalizer Precompiled has a damaged precompiled_charsmap");
  }
  const trie = new Uint32Array(size / 4);
  for (let i = 0; i < trie.length; i++) trie[i] = bytes.readUInt32LE(4 + 4 * i);
  const replacements = bytes.subarray(4 + size);

  const replacement = (key: string): string | undefined => {
    const at = shortestPrefix(trie, encoder.encode(key));
    if (at === undefined) return undefined;
    const end = replacements.indexOf(0, at);
    return decoder.decode(replacements.subarray(at, end < 0 ? undefined : end));
  };
  const known = new Map<string, string | undefined>();
  const cached = (key: string): string | undefined => {
    if (known.has(key)) return known.get(key);
    if (known.size >= 10_000) known.clear();
    const value = replacement(key);
    known.set(key, value);
    return value;
  };

  return (text) => {
    const edits: Edit[] = [];
    const change = (from: number, key: string): boolean => {
      const by = cached(key);
      if (by !== undefined && by !== key) edits.push({ from, to: from + key.length, by });
      return by !== undefined;
    };
    for (const { segment, index } of graphemes.segment(text.text)) {
      // The reference looks clusters up as a whole only below six bytes.
      if (Buffer.byteLength(segment) < 6 && change(index, segment)) continue;
      let from = index;
      for (const character of segment) {
        change(from, character);
        from += character.length;
      }
    }
    return edit(text, edits);
  };
}

/** The value of the shortest key in the double-array trie that `key` begins with, as the reference takes it. */
function shortestPrefix(trie: Uint32Array, key: Uint8Array): number | undefined {
  const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);
  let place = offsetOf(trie[0]!);
  for (const byte of key) {
    if (byte === 0) return undefined;
    place ^= byte;
    const unit = trie[place];
    if (unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) return undefined;
    place ^= offsetOf(unit);
    if ((unit & 0x100) !== 0) return trie[place]! & 0x7fffffff;
  }
  return undefined;
}
