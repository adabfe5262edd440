/** A piece of a text, at `start`..`end` (UTF-16, end exclusive). */
export interface Piece {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Matches of `pattern` (its first group where it has one that took part) that stand so near each other that `gap` fits in between. */
export function grouped(text: string, pattern: RegExp, gap: RegExp): Piece[][] {
  const groups: Piece[][] = [];
  let group: Piece[] = [];
  for (const m of text.matchAll(pattern)) {
    const piece = { text: m[1] ?? m[0], start: m.index, end: m.index + m[0].length };
    const last = group.at(-1);
    if (last && !(piece.start - last.end <= FAR && gap.test(text.slice(last.end, piece.start)))) {
      groups.push(group);
      group = [];
    }
    group.push(piece);
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

/** No gap is longer. */
const FAR = 24;

export const joined = (pieces: readonly Piece[]): string => pieces.map((piece) => piece.text).join("");
