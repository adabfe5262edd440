/** No piece starts here. */
export const NONE = -1;

// A letter is at most 16 bits; 13 bits number the few thousand that occur in pieces.
const LETTER_BITS = 13;
const START = 0;
const INSIDE = 1;

/** The pieces of a vocabulary, found without making strings or keeping any. */
export interface Vocabulary {
  /**
   * The longest piece at `units[from]`, not past `to`: its id, or NONE. `end` tells where it stops.
   * A piece inside a word is one that the vocabulary writes with `##`. Takes as many steps as the longest piece has units.
   */
  longest(units: Uint16Array, from: number, to: number): number;
  /** End of the piece that `longest` found last, exclusive. */
  readonly end: number;
}

/**
 * Builds the tree of pieces: edges (node, letter) -> node in one open hash table, two int32 per slot. Words and parts (those
 * that begin with `prefix`) have a root each. Throws where there are more different letters than the keys have room for.
 */
export function vocabulary(pieces: readonly string[], ids: Int32Array, prefix: string): Vocabulary {
  const letters = new Uint16Array(0x10000);
  let letterCount = 0;
  let size = 2;
  for (const piece of pieces) size += piece.length;
  if (size >= 1 << (32 - LETTER_BITS)) throw tooLarge(`${size} characters in all`);
  const slots = 1 << (32 - Math.clz32(size));
  const table = new Int32Array(2 * slots);
  const values = new Int32Array(size).fill(NONE);
  let nodes = 2;

  // Slot of an edge: the one that has it, or the free one where it belongs. Letter 0 is in no piece, so key 0 means free.
  function slot(key: number): number {
    let at = (Math.imul(key, 0x9e3779b1) >>> 7) & (slots - 1);
    for (;;) {
      const have = table[2 * at];
      if (have === key || have === 0) return 2 * at;
      at = (at + 1) & (slots - 1);
    }
  }

  for (let p = 0; p < pieces.length; p++) {
    const piece = pieces[p] as string;
    const inside = piece.startsWith(prefix) && piece.length > prefix.length;
    let node = inside ? INSIDE : START;
    for (let i = inside ? prefix.length : 0; i < piece.length; i++) {
      const c = piece.charCodeAt(i);
      if (letters[c] === 0) letters[c] = ++letterCount;
      const key = (node << LETTER_BITS) | (letters[c] as number);
      const at = slot(key);
      if (table[at] === 0) {
        table[at] = key;
        table[at + 1] = nodes++;
      }
      node = table[at + 1] as number;
    }
    values[node] = ids[p] as number;
  }
  if (letterCount >= 1 << LETTER_BITS) throw tooLarge(`${letterCount} different characters`);

  const found = {
    end: 0,
    longest(units: Uint16Array, from: number, to: number): number {
      let node = from === 0 ? START : INSIDE;
      let id = NONE;
      for (let i = from; i < to; i++) {
        const letter = letters[units[i] as number] as number;
        const at = slot((node << LETTER_BITS) | letter);
        if (table[at] === 0) break;
        node = table[at + 1] as number;
        const value = values[node] as number;
        if (value !== NONE) {
          id = value;
          found.end = i + 1;
        }
      }
      return id;
    },
  };
  return found;
}

function tooLarge(what: string): Error {
  return new Error(
    `tokenizer.json: the vocabulary has ${what}, which is too many: make it smaller and train again`,
  );
}
