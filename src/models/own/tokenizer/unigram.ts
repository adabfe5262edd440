import { flagAt, Misfit, numberAt, type Part } from "./part.ts";
import { byteIds, type Vocabulary } from "./vocabulary.ts";

// As much less likely than the least likely token is what is not known.
const UNKNOWN_PENALTY = 10;

/** The most probable way to make the piece up; characters that are not known, side by side, are one token. */
export function unigram(model: Part): Vocabulary {
  const { ids, scores, longest } = read(model);
  const unknown = numberAt(model, "unk_id");
  const unknownScore = scores.reduce((least, score) => Math.min(least, score), 0) - UNKNOWN_PENALTY;
  const bytes = flagAt(model, "byte_fallback", false) ? byteIds(ids) : undefined;

  return (piece) => {
    const n = piece.length;
    const best = new Float64Array(n + 1).fill(-Infinity);
    const from = new Int32Array(n + 1);
    const token = new Int32Array(n + 1);
    best[0] = 0;
    for (let i = 0; i < n; ) {
      const size = piece.codePointAt(i)! > 0xffff ? 2 : 1;
      const offer = (to: number, id: number, score: number): void => {
        if (best[i]! + score <= best[to]!) return;
        best[to] = best[i]! + score;
        from[to] = i;
        token[to] = id;
      };
      let single = false;
      const last = Math.min(n, i + (longest.get(piece.charCodeAt(i)) ?? 0));
      for (let to = i + 1; to <= last; to++) {
        const id = ids.get(piece.slice(i, to));
        if (id === undefined) continue;
        offer(to, id, scores[id]!);
        if (to === i + size) single = true;
      }
      if (!single) offer(i + size, -1, unknownScore);
      i += size;
    }
    return tokens(piece, from, token, unknown, bytes);
  };
}

function tokens(
  piece: string,
  from: Int32Array,
  token: Int32Array,
  unknown: number | undefined,
  bytes: ReadonlyMap<number, number> | undefined,
): Int32Array {
  const found: number[][] = [];
  for (let to = piece.length; to > 0; to = from[to]!) {
    const last = found.at(-1);
    if (token[to] === -1 && last?.[0] === -1) last[1] = from[to]!;
    else found.push([token[to]!, from[to]!, to]);
  }
  return Int32Array.from(
    found.reverse().flatMap(([id, start, end]) => {
      if (id !== -1) return [id!, start!, end!];
      const spelled = bytes && [...Buffer.from(piece.slice(start, end))].map((byte) => bytes.get(byte));
      if (spelled?.every((one) => one !== undefined))
        return spelled.flatMap((one) => [one as number, start!, end!]);
      if (unknown === undefined) throw new Misfit("model.unk_id is missing, and a text needs it");
      return [unknown, start!, end!];
    }),
  );
}

function read(model: Part) {
  const { vocab } = model;
  if (!Array.isArray(vocab) || vocab.length === 0) throw new Misfit("model.vocab is missing or no list");
  const ids = new Map<string, number>();
  const scores = new Float64Array(vocab.length);
  /** Of the tokens that begin with this unit, the length of the longest. */
  const longest = new Map<number, number>();
  for (const [id, entry] of vocab.entries()) {
    const [token, score] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof token !== "string" || typeof score !== "number")
      throw new Misfit(`model.vocab: entry ${id} is no pair of token and score`);
    ids.set(token, id);
    scores[id] = score;
    const unit = token.charCodeAt(0);
    longest.set(unit, Math.max(longest.get(unit) ?? 0, token.length));
  }
  return { ids, scores, longest };
}
