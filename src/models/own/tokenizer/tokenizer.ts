import { type Finder, finderOf } from "./added.ts";
import { type Aligned, aligned } from "./aligned.ts";
import { bpe } from "./bpe.ts";
import { type Cutter, cutterOf } from "./cut.ts";
import { type Normaliser, normaliserOf, type Open } from "./normalise.ts";
import { flagAt, isPart, Misfit, numberAt, type Part, partOf, partsOf, textAt } from "./part.ts";
import { type Frame, frameOf } from "./template.ts";
import { unigram } from "./unigram.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { wordpiece } from "./wordpiece.ts";

/** Tokens of a text without the special ones around it, and their places in UTF-16 units. (n,) each */
export interface Tokens {
  readonly ids: Int32Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

export interface Tokenizer {
  /** White space around a token is not part of its place. */
  tokenise(text: string): Tokens;
  /** The special tokens around a text. */
  readonly frame: Frame;
  /** One more than the highest id. */
  readonly size: number;
}

// Long texts are read piece by piece, so that the tables of places stay small.
const SECTION = 32_768;
const CACHED_PIECES = 20_000;
const LONGEST_CACHED = 64;

/**
 * The tokenizer of a `tokenizer.json` (Hugging Face's format), token for token as the reference reads it.
 * Throws a Misfit that names the part that is missing, damaged or not known.
 */
export function readTokenizer(json: unknown): Tokenizer {
  const file = partOf(json, "the file");
  const model = partOf(file.model, "model");
  const normalise = normaliserOf(isPart(file.normalizer) ? file.normalizer : null);
  const added = partsOf(file, "added_tokens");
  const isNormalised = (part: Part): boolean => flagAt(part, "normalized", !flagAt(part, "special", false));
  const vocabulary = vocabularyOf(model);
  const steps: Steps = {
    raw: finderOf(
      added.filter((part) => !isNormalised(part)),
      (content) => content,
    ),
    normalise,
    normalised: finderOf(added.filter(isNormalised), (content) => normalise(aligned(content)).text),
    cut: cutterOf(isPart(file.pre_tokenizer) ? file.pre_tokenizer : null),
    vocabulary: cached(vocabulary),
  };
  return {
    tokenise(text) {
      const found = new Places();
      for (const [from, to] of sectionsOf(text)) {
        const open = { left: from > 0, right: to < text.length };
        read(aligned(text.slice(from, to), from), open, steps, found);
      }
      return found.tokens(text);
    },
    frame: frameOf(isPart(file.post_processor) ? file.post_processor : null),
    size: sizeOf(model, added),
  };
}

interface Steps {
  readonly raw: Finder;
  readonly normalise: Normaliser;
  readonly normalised: Finder;
  readonly cut: Cutter;
  readonly vocabulary: Vocabulary;
}

function read(
  section: Aligned,
  open: Open,
  { raw, normalise, normalised, cut, vocabulary }: Steps,
  found: Places,
): void {
  const stretches = raw(section);
  for (const [i, { text, id }] of stretches.entries()) {
    if (id !== undefined) {
      found.add(id, text, 0, text.text.length);
      continue;
    }
    const left = open.left && i === 0;
    const right = open.right && i === stretches.length - 1;
    for (const inner of normalised(normalise(text, { left, right }))) {
      if (inner.id !== undefined) {
        found.add(inner.id, inner.text, 0, inner.text.text.length);
        continue;
      }
      for (const piece of cut(inner.text)) {
        const tokens = vocabulary(piece.text);
        for (let k = 0; k < tokens.length; k += 3)
          found.add(tokens[k]!, piece, tokens[k + 1]!, tokens[k + 2]!);
      }
    }
  }
}

class Places {
  #values = new Int32Array(3 * 256);
  #length = 0;

  add(id: number, piece: Aligned, from: number, to: number): void {
    if (to <= from) return;
    if (this.#length === this.#values.length) {
      const larger = new Int32Array(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = id;
    this.#values[this.#length++] = piece.starts[from]!;
    this.#values[this.#length++] = piece.ends[to - 1]!;
  }

  tokens(text: string): Tokens {
    const count = this.#length / 3;
    const [ids, starts, ends] = [new Int32Array(count), new Int32Array(count), new Int32Array(count)];
    for (let i = 0; i < count; i++) {
      let [start, end] = [this.#values[3 * i + 1]!, this.#values[3 * i + 2]!];
      while (start < end && isSpace(text, start)) start += 1;
      while (end > start && isSpace(text, end - 1)) end -= 1;
      ids[i] = this.#values[3 * i]!;
      starts[i] = start;
      ends[i] = end;
    }
    return { ids, starts, ends };
  }
}

/** Cuts before a lone space between words, where no tokenizer looks across; where there is none, anywhere. */
function* sectionsOf(text: string): Generator<[number, number]> {
  for (let from = 0; from < text.length; ) {
    const to = Math.min(from + SECTION, text.length);
    const end = to === text.length ? to : cutBefore(text, from, to);
    yield [from, end];
    from = end;
  }
}

function cutBefore(text: string, from: number, to: number): number {
  for (let i = to - 1; i > from; i--)
    if (text[i] === " " && !isSpace(text, i - 1) && !isSpace(text, i + 1)) return i;
  let at = to;
  while (at > from + 1 && /[\p{M}\udc00-\udfff]/u.test(text.charAt(at))) at -= 1;
  return at;
}

const isSpace = (text: string, i: number): boolean => /\p{White_Space}/u.test(text.charAt(i));

function vocabularyOf(model: Part): Vocabulary {
  // Older files do not say which it is.
  const type = textAt(
    model,
    "type",
    Array.isArray(model.vocab) ? "Unigram" : model.merges ? "BPE" : "WordPiece",
  );
  if (type === "WordPiece") return wordpiece(model);
  if (type === "BPE") return bpe(model);
  if (type === "Unigram") return unigram(model);
  throw new Misfit(`the model "${type}" is not known here`);
}

function cached(vocabulary: Vocabulary): Vocabulary {
  const known = new Map<string, Int32Array>();
  return (piece) => {
    const before = known.get(piece);
    if (before) return before;
    const tokens = vocabulary(piece);
    if (piece.length <= LONGEST_CACHED) {
      if (known.size >= CACHED_PIECES) known.clear();
      known.set(piece, tokens);
    }
    return tokens;
  };
}

function sizeOf(model: Part, added: readonly Part[]): number {
  let highest = Array.isArray(model.vocab) ? model.vocab.length - 1 : -1;
  if (isPart(model.vocab))
    for (const id of Object.values(model.vocab)) highest = Math.max(highest, Number(id));
  for (const part of added) highest = Math.max(highest, numberAt(part, "id") ?? -1);
  return highest + 1;
}
