/** A stretch of a longer text. `start` is its UTF-16 offset there. */
export interface Section {
  readonly start: number;
  readonly text: string;
  /** What of the longer text it tells of, up to the middle of what it shares with its neighbours; offsets there. */
  readonly own: { readonly start: number; readonly end: number };
}

/**
 * UTF-16 units of a section: what is prepared in one go, some milliseconds' work, for nobody else gets a turn meanwhile.
 * Longer texts are cut; neighbours share `OVERLAP` units, so that what lies across a cut is seen whole in one of them.
 */
const LONGEST = 32_768;
const OVERLAP = 512;
/** How far from where it would be a cut may move, to fall between words. */
const SLACK = 128;

/** Texts read as one, with a line break between neighbours; the long string itself is never made. */
export class Joined {
  readonly texts: readonly string[];
  readonly length: number;
  readonly #starts: readonly number[];

  constructor(texts: readonly string[]) {
    const starts: number[] = [];
    let at = 0;
    for (const text of texts) {
      starts.push(at);
      at += text.length + 1;
    }
    this.texts = texts;
    this.#starts = starts;
    this.length = Math.max(0, at - 1);
  }

  slice(from: number, to: number): string {
    const parts: string[] = [];
    for (let i = this.#indexAt(from); i < this.texts.length && this.#starts[i]! <= to; i++) {
      const start = this.#starts[i]!;
      parts.push(this.texts[i]!.slice(Math.max(0, from - start), to - start));
    }
    return parts.join("\n");
  }

  /** The texts that `start`..`end` touches, each with the part that lies in it. */
  *touched(start: number, end: number): Generator<{ index: number; start: number; end: number }> {
    for (let index = this.#indexAt(start); index < this.texts.length; index++) {
      const offset = this.#starts[index]!;
      if (offset >= end) return;
      const local = {
        index,
        start: Math.max(0, start - offset),
        end: Math.min(this.texts[index]!.length, end - offset),
      };
      if (local.start < local.end) yield local;
    }
  }

  /** Offset of text `index` in the whole. */
  startOf(index: number): number {
    return this.#starts[index]!;
  }

  /** Sections in order. Where they begin and end depends on nothing behind them, but for the last one's end. */
  *sections(): Generator<Section> {
    for (let start = 0, from = 0; ; ) {
      const end = this.#cut(start + LONGEST);
      const last = end === this.length;
      const next = last ? end : this.#cut(end - OVERLAP);
      const to = last ? Number.POSITIVE_INFINITY : (next + end) >> 1;
      yield { start, text: this.slice(start, end), own: { start: from, end: to } };
      if (last) return;
      [start, from] = [next, to];
    }
  }

  /** A place near `at` and not behind it that parts no word and no surrogate pair, if there is one. */
  #cut(at: number): number {
    if (at >= this.length) return this.length;
    const near = this.slice(at - SLACK, at);
    const gap = /\s\S*$/.exec(near);
    if (gap) return at - SLACK + gap.index + 1;
    return /[\ud800-\udbff]$/.test(near) ? at - 1 : at;
  }

  /** Index of the text in which `at` lies, or in front of whose line break. */
  #indexAt(at: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/**
 * What of `start`..`end`, which was found in a section, is for it to tell; offsets into its text. None: a neighbour sees more
 * of it, for its middle lies there. What is longer than the overlap no section sees whole: each tells its own part.
 */
export function owned(
  { start: offset, text, own }: Section,
  start: number,
  end: number,
): { readonly start: number; readonly end: number } | undefined {
  const middle = offset + (start + end) / 2;
  if (middle < own.start || middle >= own.end) return undefined;
  const cutBefore = offset + start < own.start && text.slice(0, start).trim() === "";
  const cutBehind = offset + end > own.end && text.slice(end).trim() === "";
  return { start: cutBefore ? own.start - offset : start, end: cutBehind ? own.end - offset : end };
}
