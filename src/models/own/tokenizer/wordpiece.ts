import { numberAt, type Part, textAt } from "./part.ts";
import { idsOf, unknownOf, type Vocabulary } from "./vocabulary.ts";

/** Greedy longest match; a piece that cannot be made up is one unknown token. */
export function wordpiece(model: Part): Vocabulary {
  const ids = idsOf(model);
  const unknown = unknownOf(model, ids);
  const prefix = textAt(model, "continuing_subword_prefix", "##");
  const longest = numberAt(model, "max_input_chars_per_word") ?? 100;
  return (piece) => {
    const whole = Int32Array.of(unknown, 0, piece.length);
    const characters = [...piece];
    if (characters.length > longest) return whole;
    const found: number[] = [];
    for (let from = 0; from < piece.length; ) {
      let to = piece.length;
      let id: number | undefined;
      for (; to > from; to--) {
        const text = piece.slice(from, to);
        id = ids.get(from > 0 ? prefix + text : text);
        if (id !== undefined) break;
      }
      if (id === undefined) return whole;
      found.push(id, from, to);
      from = to;
    }
    return Int32Array.from(found);
  };
}
