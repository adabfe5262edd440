import { caseOf, NO_CASE } from "./case.ts";
import { CHANGES, type Characters, CLASS, characters, HAN, LETTER, SINGLE, SPACE } from "./characters.ts";
import { readFile } from "./read.ts";
import { type Tokenised, TokenList } from "./tokens.ts";
import { NONE, type Vocabulary, vocabulary } from "./vocabulary.ts";
import { Word } from "./word.ts";

/** A text's tokens, and the ids that the encoder's input needs around them. */
export interface Wordpiece {
  /** All tokens of a text of any length, without [CLS] and [SEP]. Takes time in proportion to the text. */
  tokenise(text: string): Tokenised;
  readonly cls: number;
  readonly sep: number;
  readonly unk: number;
  /** Number of ids: one more than the highest. */
  readonly size: number;
}

/**
 * The tokenizer that `tokenizer.json` (Hugging Face form) describes. Gives the ids and offsets of the `tokenizers` library
 * with that file. Throws an Error that says what does not fit where normaliser, splitter or model are not as in ours.
 *
 * Where it differs: a lone surrogate counts as U+FFFD, which the normaliser removes; no word is too long; and where marks that
 * stay (a few in Javanese, Balinese, Batak, musical notation) stand with others in an order that is not Unicode's, a word may
 * start or end some of those marks earlier or later.
 */
export function readTokenizer(json: string): Wordpiece {
  const { pieces, ids, prefix, special, han } = readFile(json);
  const machine = new Machine(
    vocabulary(pieces, ids, prefix),
    characters(han),
    special.get("[UNK]") as number,
  );
  return {
    tokenise: (text) => machine.run(text),
    cls: special.get("[CLS]") as number,
    sep: special.get("[SEP]") as number,
    unk: special.get("[UNK]") as number,
    size: 1 + ids.reduce((most, id) => Math.max(most, id), 0),
  };
}

/** Reads a text once, character by character; a word is looked up when it ends. Not for use by two texts at a time. */
class Machine {
  readonly #vocabulary: Vocabulary;
  readonly #characters: Characters;
  readonly #unk: number;
  // ASCII by itself: kind, and the unit that normalisation makes of it.
  readonly #kinds = new Uint8Array(128);
  readonly #units = new Uint8Array(128);
  readonly #word = new Word();
  readonly #out = new TokenList();
  #text = "";

  constructor(vocabulary: Vocabulary, characters: Characters, unk: number) {
    this.#vocabulary = vocabulary;
    this.#characters = characters;
    this.#unk = unk;
    for (let c = 0; c < 128; c++) {
      const kind = characters.kind(c);
      const text = kind & CHANGES ? characters.normal(c) : String.fromCharCode(c);
      this.#units[c] = text.length === 0 ? 0 : text.charCodeAt(0);
      this.#kinds[c] = text.length === 0 ? 0 : characters.kind(text.charCodeAt(0)) & CLASS;
    }
  }

  run(text: string): Tokenised {
    const word = this.#word;
    this.#text = text;
    for (let i = 0; i < text.length; ) {
      const c = text.charCodeAt(i);
      if (c >= 128) {
        i = this.#beyondAscii(i, c);
        continue;
      }
      const kind = this.#kinds[c] as number;
      if (kind === LETTER) {
        if (word.kind !== LETTER) this.#begin(LETTER);
        const unit = this.#units[c] as number;
        if (unit !== c) word.capitals += 1;
        word.push(unit, i, i + 1);
      } else if (kind === SPACE) this.#flush();
      else if (kind === SINGLE) {
        this.#begin(SINGLE);
        word.push(c, i, i + 1);
      }
      i += 1;
    }
    this.#flush();
    this.#text = "";
    return this.#out.take();
  }

  /** Takes the character at `i`, whose first unit is `c`; returns where the next one starts. */
  #beyondAscii(i: number, c: number): number {
    const text = this.#text;
    const code = c >= 0xd800 && c < 0xdc00 ? (text.codePointAt(i) as number) : c;
    const end = code >= 0x10000 ? i + 2 : i + 1;
    const kind = this.#characters.kind(code);
    if (kind & CHANGES) {
      for (const part of this.#characters.normal(code)) {
        const partCode = part.codePointAt(0) as number;
        this.#take(partCode, this.#characters.kind(partCode) & CLASS, i, end);
      }
    } else this.#take(code, kind, i, end);
    return end;
  }

  #take(code: number, kind: number, start: number, end: number): void {
    if (kind === SPACE) {
      this.#flush();
      return;
    }
    const word = this.#word;
    if (word.kind !== kind || kind === SINGLE) this.#begin(kind);
    word.ascii = false;
    if (code < 0x10000) word.push(code, start, end);
    else {
      word.push(0xd7c0 + (code >> 10), start, end);
      word.push(0xdc00 + (code & 0x3ff), start, end);
    }
  }

  #begin(kind: number): void {
    this.#flush();
    this.#word.kind = kind;
  }

  /** Cuts the word into the longest pieces from left to right; if they don't cover it, it is one [UNK]. */
  #flush(): void {
    const word = this.#word;
    const { length, units, starts, ends } = word;
    if (length === 0) return;
    const out = this.#out;
    const first = out.length;
    const letterCase = this.#case();
    for (let at = 0; at < length; ) {
      const id = this.#vocabulary.longest(units, at, length);
      if (id === NONE) {
        out.length = first;
        out.push(this.#unk, letterCase, starts[0] as number, ends[length - 1] as number);
        break;
      }
      const next = this.#vocabulary.end;
      out.push(id, letterCase, starts[at] as number, ends[next - 1] as number);
      at = next;
    }
    word.clear();
  }

  #case(): number {
    const { kind, capitals, ascii, length, starts, ends } = this.#word;
    if (kind === HAN || (ascii && capitals === 0)) return NO_CASE;
    return caseOf(this.#text.slice(starts[0], ends[length - 1]));
  }
}
