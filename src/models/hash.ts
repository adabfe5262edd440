export const PRIME = 16777619;
export const WORD_SEED = 2166136261 | 0;

/** The last step of every hash: spreads all bits over all bits. (32-bit, signed) */
export function mix(value: number): number {
  let h = value;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** FNV-1a over UTF-16 units `start`..`end` of `text`. */
export function fnv(text: string, start: number, end: number): number {
  let h = WORD_SEED;
  for (let i = start; i < end; i++) h = Math.imul(h ^ text.charCodeAt(i), PRIME);
  return h;
}
