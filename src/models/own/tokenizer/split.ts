import { type Aligned, slice } from "./aligned.ts";
import { Misfit, type Part, textAt } from "./part.ts";

/** What becomes of a match: a piece of its own, none, part of its neighbour, or one with the matches beside it. */
export type Behaviour = "isolated" | "removed" | "mergedwithprevious" | "mergedwithnext" | "contiguous";

const BEHAVIOURS: readonly string[] = [
  "isolated",
  "removed",
  "mergedwithprevious",
  "mergedwithnext",
  "contiguous",
];

/** The behaviour that a pre-tokeniser asks for. */
export function behaviourOf(part: Part, fallback: Behaviour): Behaviour {
  const name = textAt(part, "behavior", fallback).toLowerCase();
  if (BEHAVIOURS.includes(name)) return name as Behaviour;
  throw new Misfit(`the behavior "${name}" of a pre-tokenizer is not known here`);
}

/** Cuts at the matches of the global `pattern`, or with `invert` at what lies between them. No piece is empty. */
export function split(text: Aligned, pattern: RegExp, behaviour: Behaviour, invert = false): Aligned[] {
  const parts: { from: number; to: number; isMatch: boolean }[] = [];
  let last = 0;
  const push = (from: number, to: number, isMatch: boolean): void => {
    if (to > from) parts.push({ from, to, isMatch: isMatch !== invert });
  };
  for (const { 0: match, index } of text.text.matchAll(pattern)) {
    push(last, index, false);
    push(index, index + match.length, true);
    last = index + match.length;
  }
  push(last, text.text.length, false);
  return merged(parts, behaviour).map(({ from, to }) => slice(text, from, to));
}

function merged(
  parts: readonly { from: number; to: number; isMatch: boolean }[],
  behaviour: Behaviour,
): readonly { from: number; to: number }[] {
  if (behaviour === "isolated") return parts;
  if (behaviour === "removed") return parts.filter(({ isMatch }) => !isMatch);
  const found: { from: number; to: number }[] = [];
  // A match joins the piece before it, unless that is a match as well; backwards it is the piece after it.
  const backwards = behaviour === "mergedwithnext";
  let previous = false;
  for (const { from, to, isMatch } of backwards ? parts.toReversed() : parts) {
    const neighbour = found.at(-1);
    const joins = behaviour === "contiguous" ? isMatch === previous : isMatch && !previous;
    if (!joins || !neighbour) found.push({ from, to });
    else if (backwards) neighbour.from = from;
    else neighbour.to = to;
    previous = isMatch;
  }
  return backwards ? found.reverse() : found;
}
