import { isPart, Misfit, type Part, partOf, partsOf, textAt } from "./part.ts";

/** Ids of the special tokens before and after a text. */
export interface Frame {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const NOTHING: Frame = { before: [], after: [] };

/** The frame that the post-processor `part` puts around a single text; null: none. */
export function frameOf(part: Part | null): Frame {
  if (part === null) return NOTHING;
  const type = textAt(part, "type", "");
  switch (type) {
    case "TemplateProcessing":
      return template(part);
    case "BertProcessing":
    case "RobertaProcessing":
      return { before: [idOf(part.cls, "cls")], after: [idOf(part.sep, "sep")] };
    case "ByteLevel":
      return NOTHING;
    case "Sequence": {
      // Each puts its frame around what it is given.
      return partsOf(part, "processors")
        .map(frameOf)
        .reduce(
          (inner, outer) => ({
            before: [...outer.before, ...inner.before],
            after: [...inner.after, ...outer.after],
          }),
          NOTHING,
        );
    }
    default:
      throw new Misfit(`the post-processor "${type}" is not known here`);
  }
}

function template(part: Part): Frame {
  const tokens = partOf(part.special_tokens, "post_processor.special_tokens");
  const before: number[] = [];
  const after: number[] = [];
  let sofar = before;
  for (const step of partsOf(part, "single")) {
    if (isPart(step.Sequence)) {
      sofar = after;
      continue;
    }
    const name = isPart(step.SpecialToken) ? textAt(step.SpecialToken, "id", "") : "";
    const ids = isPart(tokens[name]) ? tokens[name].ids : undefined;
    if (!Array.isArray(ids)) throw new Misfit(`post_processor.special_tokens lacks "${name}"`);
    sofar.push(...ids.map(Number));
  }
  return { before, after };
}

function idOf(pair: unknown, key: string): number {
  const id: unknown = Array.isArray(pair) ? pair[1] : undefined;
  if (typeof id === "number") return id;
  throw new Misfit(`post_processor.${key} is no pair of token and id`);
}
