import { type Aligned, type Edit, edit, prepend, rewrite } from "./aligned.ts";
import { charsmap } from "./charsmap.ts";
import { flagAt, Misfit, type Part, partsOf, patternOf, textAt } from "./part.ts";

/** Whether the text goes on before or after what is given: then it has no beginning or no end there. */
export interface Open {
  readonly left: boolean;
  readonly right: boolean;
}

export type Normaliser = (text: Aligned, open?: Open) => Aligned;

const CLOSED: Open = { left: false, right: false };

// Some tables of the reference implementation, by the names of tokenizer.json.
const CONTROL = /(?![\t\n\r])[\0\ufffd\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu;
const SPACE = /\p{White_Space}/gu;
const IDEOGRAPH =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;
// A character and all that a normal form may join to it: marks, the later parts of Hangul syllables, half-width marks, and
// Kirat Rai's vowels, which are letters.
const CLUSTER = /[\s\S][\p{M}\u1160-\u11ff\uff9e\uff9f\u{16d63}-\u{16d6a}]*/gu;

/** The normaliser that `part` describes; null: none. Throws a Misfit for one that is not known. */
export function normaliserOf(part: Part | null): Normaliser {
  if (part === null) return (text) => text;
  const type = textAt(part, "type", "");
  switch (type) {
    case "Sequence": {
      const steps = partsOf(part, "normalizers").map(normaliserOf);
      return (text, open) => steps.reduce((sofar, step) => step(sofar, open), text);
    }
    case "BertNormalizer":
      return bert(part);
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD":
      return form(type);
    case "Lowercase":
      return lowercase;
    case "StripAccents":
      return (text) => rewrite(text, /\p{M}/gu, () => "");
    case "Strip":
      return strip(flagAt(part, "strip_left", true), flagAt(part, "strip_right", true));
    case "Replace": {
      const pattern = patternOf(part, "the normalizer Replace");
      const content = textAt(part, "content", "");
      return (text) => rewrite(text, pattern, () => content);
    }
    case "Prepend": {
      const prefix = textAt(part, "prepend", "");
      return (text, { left } = CLOSED) => (left ? text : prepend(text, prefix));
    }
    case "Precompiled":
      return charsmap(textAt(part, "precompiled_charsmap", ""));
    default:
      throw new Misfit(`the normalizer "${type}" is not known here`);
  }
}

function bert(part: Part): Normaliser {
  const lower = flagAt(part, "lowercase", true);
  const steps: Normaliser[] = [];
  if (flagAt(part, "clean_text", true)) {
    steps.push((text) =>
      rewrite(
        rewrite(text, CONTROL, () => ""),
        SPACE,
        () => " ",
      ),
    );
  }
  if (flagAt(part, "handle_chinese_chars", true)) {
    steps.push((text) => rewrite(text, IDEOGRAPH, (character) => ` ${character} `));
  }
  if (flagAt(part, "strip_accents", lower)) {
    steps.push(form("NFD"), (text) => rewrite(text, /\p{Mn}/gu, () => ""));
  }
  if (lower) steps.push(lowercase);
  return (text) => steps.reduce((sofar, step) => step(sofar), text);
}

// Character by character: a whole string would turn a sigma at the end of a word into another letter.
const lowercase: Normaliser = (text) =>
  rewrite(text, /\p{Changes_When_Lowercased}/gu, (character) => character.toLowerCase());

const strip =
  (left: boolean, right: boolean): Normaliser =>
  (text, open = CLOSED) => {
    const trimmed = left && !open.left ? rewrite(text, /^\p{White_Space}+/gu, () => "") : text;
    if (!right || open.right) return trimmed;
    return rewrite(trimmed, /(?<!\p{White_Space})\p{White_Space}+$/gu, () => "");
  };

/** A Unicode normal form. Exact to the character, but where characters were joined: then to all of them. */
export function form(name: "NFC" | "NFD" | "NFKC" | "NFKD"): Normaliser {
  return (text) => {
    if (text.text.normalize(name) === text.text) return text;
    const edits: Edit[] = [];
    for (const { 0: cluster, index } of text.text.matchAll(CLUSTER)) {
      const whole = cluster.normalize(name);
      if (whole === cluster) continue;
      const each = [...cluster].map((character) => character.normalize(name));
      if (each.join("") !== whole) {
        edits.push({ from: index, to: index + cluster.length, by: whole });
        continue;
      }
      let from = index;
      for (const [i, character] of [...cluster].entries()) {
        if (each[i] !== character) edits.push({ from, to: from + character.length, by: each[i]! });
        from += character.length;
      }
    }
    return edit(text, edits);
  };
}
