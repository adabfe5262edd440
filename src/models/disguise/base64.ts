import { grouped, joined, type Piece } from "./groups.ts";
import type { Hidden } from "./hidden.ts";
import { readable } from "./readable.ts";

// Signs alone are what parts the pieces.
const TOKENS = /(?![+/_-]+(?![A-Za-z0-9+/_-]))[A-Za-z0-9+/_-]+={0,2}/g;
const GAP = /^[^A-Za-z0-9]{0,8}$/;
/** Words in one letter case are no base64, half of whose letters are capitals; short ones may be any piece of it. */
const LOOKS = /[a-z][A-Z]|[A-Za-z][0-9]|[0-9][A-Za-z]|[A-Z]{2}[a-z]|[+/]/;
const MIN = 12;
const MIN_TOGETHER = 16;
const SURE = 80;

/** Runs of base64, also in its URL form, beside other words, and in pieces over lines, quotes or spaces. */
export function base64(text: string): Hidden[] {
  const found: Hidden[] = [];
  for (const near of grouped(text.replace(/\\[nrt]/g, "  "), TOKENS, GAP)) {
    for (const group of likely(near)) {
      const alone = group.flatMap(one);
      const together = group.length > 1 && joined(group).length >= MIN_TOGETHER ? all(group) : undefined;
      const size = alone.reduce((n, { text }) => n + text.length, 0);
      // One alone that says nearly all of it stands beside words that only look alike.
      const most = together && together.text.length >= (alone.length === 1 ? 1.3 : 0.98) * size;
      if (most) found.push(together);
      else found.push(...alone);
    }
  }
  return found;
}

/** The stretches of pieces that look like base64; one that does not may stand in between. */
function likely(pieces: readonly Piece[]): Piece[][] {
  const out: Piece[][] = [];
  let group: Piece[] = [];
  let last = -1;
  for (const [i, piece] of pieces.entries()) {
    if (piece.text.length > 3 && !LOOKS.test(piece.text)) continue;
    if (i - last > 2 && group.length > 0) {
      out.push(group);
      group = [];
    } else if (group.length > 0 && i - last === 2) group.push(pieces[i - 1] as Piece);
    group.push(piece);
    last = i;
  }
  if (group.length > 0) out.push(group);
  return out;
}

// Small letters between slashes are a path.
const PATH_BEFORE = /^\/?(?:[a-z0-9_.-]{1,20}\/)+/;
const PATH_AFTER = /(?:\/[a-z0-9_.-]{0,20})+$/;

function one(whole: Piece): Hidden[] {
  if (whole.text.length < MIN) return [];
  const start = whole.start + (PATH_BEFORE.exec(whole.text)?.[0].length ?? 0);
  const end = whole.end - (PATH_AFTER.exec(whole.text)?.[0].length ?? 0);
  const piece =
    end - start < MIN
      ? whole
      : { text: whole.text.slice(start - whole.start, end - whole.start), start, end };
  const said = decoded(piece.text);
  if (said !== undefined) return [hidden(said, piece.start, piece.end)];
  if (!/[/_+-]/.test(piece.text)) return [];
  // In a path, or between hyphens, the text is one of the parts, or all of them without the signs.
  const found: Hidden[] = [];
  for (const pattern of [
    /[A-Za-z0-9+_-]{12,}={0,2}/g,
    /[A-Za-z0-9+]{12,}={0,2}/g,
    /[A-Za-z0-9]{12,}={0,2}/g,
  ]) {
    for (const m of piece.text.matchAll(pattern)) {
      const part = m[0] === piece.text ? undefined : decoded(m[0]);
      const start = piece.start + m.index;
      if (part !== undefined) found.push(hidden(part, start, start + m[0].length));
    }
    if (found.length > 0) return found;
  }
  const without = decoded(piece.text.replace(/[/_+-]/g, ""));
  return without === undefined ? [] : [hidden(without, piece.start, piece.end)];
}

function all(group: readonly Piece[]): Hidden | undefined {
  // What stands behind the padding is a text of its own.
  const words = group.map((piece) => short(piece.text));
  if (words.every((word) => word !== undefined)) return at(group, words.join(" "));
  const parts = joined(group).match(/[^=]+=*/g) ?? [];
  // Words of prose are joined here too, so a short text must be language.
  const said = parts.map((part) => decoded(part, part.length < SURE));
  if (said.every((one) => one === undefined)) return undefined;
  return at(
    group,
    said
      .map((one, i) => one ?? short(parts[i] as string) ?? "")
      .join(" ")
      .trim(),
  );
}

const at = (group: readonly Piece[], said: string): Hidden =>
  hidden(said, (group[0] as Piece).start, (group.at(-1) as Piece).end);

/** A word by itself. */
const short = (part: string): string | undefined => {
  if (part.length % 4 !== 0) return undefined;
  const said = Buffer.from(part, "base64").toString("latin1");
  return /^[A-Za-z]{2,}$/.test(said) ? said : undefined;
};

const hidden = (text: string, start: number, end: number): Hidden => ({ kind: "base64", text, start, end });

/** A word may stand right before it, so that it begins at any of four places. */
function decoded(run: string, strict = false): string | undefined {
  const body = run.replace(/=+$/, "");
  if (!/[A-Z]/.test(body) || !/[a-z]/.test(body)) return undefined;
  for (let skip = 0; skip < 4; skip++) {
    const said = readable(Buffer.from(body.slice(skip), "base64"), strict || skip > 0);
    if (said !== undefined) return said;
  }
  return undefined;
}
