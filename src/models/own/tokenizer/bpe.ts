import { flagAt, Misfit, type Part, textAt } from "./part.ts";
import { byteIds, idsOf, type Vocabulary } from "./vocabulary.ts";

const PLACES = 2 ** 21;

/** Byte pair encoding: neighbours are merged, the earliest merge of the list first, from left to right. */
export function bpe(model: Part): Vocabulary {
  for (const key of ["continuing_subword_prefix", "end_of_word_suffix"])
    if (textAt(model, key, "") !== "") throw new Misfit(`model.${key} is not known here`);
  const ids = idsOf(model);
  const ranks = ranksOf(model);
  const unknown = ids.get(textAt(model, "unk_token", ""));
  const bytes = flagAt(model, "byte_fallback", false) ? byteIds(ids) : undefined;
  const fuses = flagAt(model, "fuse_unk", false);
  const wholeFirst = flagAt(model, "ignore_merges", false);

  return (piece) => {
    const whole = wholeFirst ? ids.get(piece) : undefined;
    if (whole !== undefined) return Int32Array.of(whole, 0, piece.length);
    const found: number[] = [];
    let afterUnknown = false;
    for (const [from, to] of merge(piece, ranks)) {
      const text = piece.slice(from, to);
      const id = ids.get(text);
      const spelled =
        id === undefined && bytes ? [...Buffer.from(text)].map((byte) => bytes.get(byte)) : undefined;
      if (id !== undefined) found.push(id, from, to);
      else if (spelled?.every((one) => one !== undefined))
        for (const one of spelled) found.push(one as number, from, to);
      else if (unknown !== undefined) {
        if (fuses && afterUnknown) found[found.length - 1] = to;
        else found.push(unknown, from, to);
        afterUnknown = true;
        continue;
      }
      afterUnknown = false;
    }
    return Int32Array.from(found);
  };
}

function ranksOf({ merges }: Part): Map<string, number> {
  if (!Array.isArray(merges)) throw new Misfit("model.merges is missing or no list");
  const ranks = new Map<string, number>();
  for (const [rank, merge] of merges.entries()) {
    const pair = typeof merge === "string" ? merge : Array.isArray(merge) ? merge.join(" ") : "";
    if (!pair.includes(" ")) throw new Misfit(`model.merges: entry ${rank} is no pair`);
    ranks.set(pair, rank);
  }
  return ranks;
}

/** The parts that are left when nothing can be merged any more: from and to, in order. */
function merge(piece: string, ranks: ReadonlyMap<string, number>): [number, number][] {
  // Characters are a linked list of parts; a part that was merged into its left neighbour has end 0.
  const starts: number[] = [];
  for (let i = 0; i < piece.length; i += piece.codePointAt(i)! > 0xffff ? 2 : 1) starts.push(i);
  const n = starts.length;
  const ends = starts.map((_, i) => starts[i + 1] ?? piece.length);
  const next = starts.map((_, i) => i + 1);
  const previous = starts.map((_, i) => i - 1);
  const heap = new MinHeap();
  const rankAt = (i: number): number | undefined => {
    const right = next[i]!;
    if (ends[i] === 0 || right >= n) return undefined;
    return ranks.get(`${piece.slice(starts[i], ends[i])} ${piece.slice(starts[right], ends[right])}`);
  };
  const offer = (i: number): void => {
    const rank = i < 0 ? undefined : rankAt(i);
    if (rank !== undefined) heap.push(rank * PLACES + i);
  };
  for (let i = 0; i < n; i++) offer(i);
  for (let top = heap.pop(); top !== undefined; top = heap.pop()) {
    const i = top % PLACES;
    // What stands there may have changed since it was offered.
    if (rankAt(i) !== (top - i) / PLACES) continue;
    const right = next[i]!;
    ends[i] = ends[right]!;
    ends[right] = 0;
    next[i] = next[right]!;
    if (next[i]! < n) previous[next[i]!] = i;
    offer(previous[i]!);
    offer(i);
  }
  return starts.flatMap((start, i): [number, number][] => (ends[i] === 0 ? [] : [[start, ends[i]!]]));
}

class MinHeap {
  readonly #items: number[] = [];

  push(item: number): void {
    const items = this.#items;
    let i = items.push(item) - 1;
    for (let parent = (i - 1) >> 1; i > 0 && items[parent]! > item; parent = (i - 1) >> 1) {
      items[i] = items[parent]!;
      i = parent;
    }
    items[i] = item;
  }

  pop(): number | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (items.length === 0 || last === undefined) return top;
    let i = 0;
    for (let child = 1; child < items.length; child = 2 * i + 1) {
      if (child + 1 < items.length && items[child + 1]! < items[child]!) child += 1;
      if (items[child]! >= last) break;
      items[i] = items[child]!;
      i = child;
    }
    items[i] = last;
    return top;
  }
}
