import { isDeepStrictEqual } from "node:util";

/** What `tokenizer.json` holds for us. */
export interface TokenizerFile {
  /** The vocabulary; pieces inside a word begin with `prefix`. (pieces,) both */
  readonly pieces: readonly string[];
  readonly ids: Int32Array;
  readonly prefix: string;
  /** Tokens such as `[SEP]` that stand for themselves wherever they occur in a text. */
  readonly special: ReadonlyMap<string, number>;
  /** Code points of the ideographs that the splitter keeps together in runs. */
  readonly han: ReadonlySet<number>;
}

const NORMALIZER = {
  type: "Sequence",
  normalizers: [
    { type: "NFKD" },
    {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: false,
      strip_accents: true,
      lowercase: true,
    },
  ],
};
const MODEL = { type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##" };
const NO_LIMIT = 1_000_000;
const MOST_IDS = 1_000_000;
const SPECIAL = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
const SPLIT = /^\[(\p{Script=Han}+)\]\+\|\[\\p\{L\}\\p\{N\}\\p\{M\}&&\[\^\\p\{Han\}\]\]\+\|\[\\s\\S\]$/u;

type Json = Readonly<Record<string, unknown>>;

function misfit(place: string, found: unknown, wanted: string): Error {
  const text = (JSON.stringify(found) ?? "nothing").slice(0, 80);
  return new Error(
    `tokenizer.json: ${place} is ${text}, must be ${wanted}: take the file that training/export.py wrote beside the model`,
  );
}

function object(value: unknown, place: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw misfit(place, value, "an object");
  }
  return value as Json;
}

function same(value: unknown, wanted: unknown, place: string): void {
  if (!isDeepStrictEqual(value, wanted)) throw misfit(place, value, JSON.stringify(wanted));
}

/** The parts of a tokenizer file in Hugging Face form. Throws an Error that names the first part that is not as in ours. */
export function readFile(json: string): TokenizerFile {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    // Not with the parser's words: they quote the file, which may be anything when a path was mistaken.
    throw new Error(`tokenizer.json: not JSON (${json.length} characters): copy the file again`);
  }
  const file = object(parsed, "the file");
  same(file.truncation ?? null, null, "truncation");
  same(file.padding ?? null, null, "padding");
  same(file.normalizer, NORMALIZER, "normalizer");
  const model = object(file.model, "model");
  for (const [key, wanted] of Object.entries(MODEL)) same(model[key], wanted, `model.${key}`);
  const limit = model.max_input_chars_per_word;
  if (typeof limit !== "number" || limit < NO_LIMIT) {
    throw misfit("model.max_input_chars_per_word", limit, `${NO_LIMIT} or more`);
  }
  const vocab = object(model.vocab, "model.vocab");
  return {
    ...readVocab(vocab),
    prefix: MODEL.continuing_subword_prefix,
    special: readSpecial(file.added_tokens, vocab),
    han: readHan(object(file.pre_tokenizer, "pre_tokenizer")),
  };
}

function readVocab(vocab: Json): { pieces: string[]; ids: Int32Array } {
  const pieces = Object.keys(vocab);
  const ids = new Int32Array(pieces.length);
  for (const [i, piece] of pieces.entries()) {
    const id = vocab[piece];
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id > MOST_IDS) {
      throw misfit(`model.vocab[${JSON.stringify(piece)}]`, id, `a whole number up to ${MOST_IDS}`);
    }
    ids[i] = id;
  }
  return { pieces, ids };
}

function readSpecial(list: unknown, vocab: Json): ReadonlyMap<string, number> {
  if (!Array.isArray(list)) throw misfit("added_tokens", list, "a list");
  const special = new Map<string, number>();
  for (const [i, item] of list.entries()) {
    const { content, id, ...rest } = object(item, `added_tokens[${i}]`);
    same(rest, SPECIAL, `added_tokens[${i}]`);
    if (typeof content !== "string" || !/^\[[A-Z]+\]$/.test(content)) {
      throw misfit(`added_tokens[${i}].content`, content, "capitals in brackets");
    }
    if (typeof id !== "number" || id !== vocab[content]) {
      throw misfit(
        `added_tokens[${i}].id`,
        id,
        `the one in model.vocab, ${vocab[content] ?? "which has none"}`,
      );
    }
    special.set(content, id);
  }
  for (const name of ["[CLS]", "[SEP]", "[UNK]"]) {
    if (!special.has(name)) throw misfit("added_tokens", [...special.keys()], `a list with ${name}`);
  }
  return special;
}

function readHan(splitter: Json): ReadonlySet<number> {
  const parts = Array.isArray(splitter.pretokenizers) ? splitter.pretokenizers : [];
  const second = object(parts[1] ?? {}, "pre_tokenizer.pretokenizers[1]");
  const regex = object(second.pattern ?? {}, "pre_tokenizer.pretokenizers[1].pattern").Regex;
  const match = typeof regex === "string" ? SPLIT.exec(regex) : null;
  if (match === null) {
    throw misfit(
      "pre_tokenizer",
      splitter,
      "WhitespaceSplit and a Split into runs of listed ideographs, words, and single characters",
    );
  }
  const wanted = [
    { type: "WhitespaceSplit" },
    { type: "Split", pattern: { Regex: regex }, behavior: "Isolated", invert: false },
  ];
  same(splitter, { type: "Sequence", pretokenizers: wanted }, "pre_tokenizer");
  return new Set(Array.from(match[1] as string, (c) => c.codePointAt(0) as number));
}
