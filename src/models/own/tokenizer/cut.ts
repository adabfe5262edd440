import { type Aligned, prepend, rewrite } from "./aligned.ts";
import { byteLevel } from "./bytes.ts";
import { escaped, flagAt, Misfit, type Part, partsOf, patternOf, textAt } from "./part.ts";
import { behaviourOf, split } from "./split.ts";

/** Cuts a text into the pieces that the vocabulary sees one by one (a pre-tokeniser). */
export type Cutter = (text: Aligned) => Aligned[];

const SPACES = /\p{White_Space}/gu;
const PUNCTUATION = /[\p{P}!-/:-@[-`{-~]/gu;
const WORDS =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_C}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_C}\p{White_Space}]+/gu;

/** The cutter that `part` describes; null: none. Throws a Misfit for one that is not known. */
export function cutterOf(part: Part | null): Cutter {
  if (part === null) return (text) => [text];
  const type = textAt(part, "type", "");
  switch (type) {
    case "Sequence": {
      const steps = partsOf(part, "pretokenizers").map(cutterOf);
      return (text) => steps.reduce((pieces, step) => pieces.flatMap(step), [text]);
    }
    case "BertPreTokenizer":
      return (text) =>
        split(text, SPACES, "removed").flatMap((piece) => split(piece, PUNCTUATION, "isolated"));
    case "WhitespaceSplit":
      return (text) => split(text, SPACES, "removed");
    case "Whitespace":
      return (text) => split(text, WORDS, "removed", true);
    case "Punctuation": {
      const behaviour = behaviourOf(part, "isolated");
      return (text) => split(text, PUNCTUATION, behaviour);
    }
    case "Digits": {
      const behaviour = flagAt(part, "individual_digits", false) ? "isolated" : "contiguous";
      return (text) => split(text, /\p{N}/gu, behaviour);
    }
    case "Split": {
      const pattern = patternOf(part, "the pre-tokenizer Split");
      const behaviour = behaviourOf(part, "isolated");
      const invert = flagAt(part, "invert", false);
      return (text) => split(text, pattern, behaviour, invert);
    }
    case "ByteLevel":
      return byteLevel(flagAt(part, "add_prefix_space", true), flagAt(part, "use_regex", true));
    case "Metaspace":
      return metaspace(part);
    default:
      throw new Misfit(`the pre-tokenizer "${type}" is not known here`);
  }
}

function metaspace(part: Part): Cutter {
  const mark = textAt(part, "replacement", "▁");
  const older = flagAt(part, "add_prefix_space", true) ? "always" : "never";
  const scheme = textAt(part, "prepend_scheme", older);
  const cuts = flagAt(part, "split", true);
  const pattern = new RegExp(escaped(mark), "gu");
  return (text) => {
    const marked = rewrite(text, / /g, () => mark);
    const prefixed = scheme === "always" || (scheme === "first" && marked.starts[0] === 0);
    const whole = prefixed && !marked.text.startsWith(mark) ? prepend(marked, mark) : marked;
    return cuts ? split(whole, pattern, "mergedwithnext") : [whole];
  };
}
