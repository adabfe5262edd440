/**
 * Text that was rewritten, and where each UTF-16 unit of it comes from: unit `i` stands for the units
 * `starts[i]` to `ends[i]` (exclusive) of the original. (text.length,) each
 */
export interface Aligned {
  readonly text: string;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** One place to be rewritten: the units `from` to `to` (exclusive) become `by`. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly by: string;
}

/** A text as it is. `base`: where its first unit stands in the original. */
export function aligned(text: string, base = 0): Aligned {
  const starts = new Int32Array(text.length);
  const ends = new Int32Array(text.length);
  for (let i = 0; i < text.length; ) {
    const size = text.codePointAt(i)! > 0xffff ? 2 : 1;
    // Both halves of a pair stand for the whole character.
    for (let k = 0; k < size; k++) {
      starts[i + k] = base + i;
      ends[i + k] = base + i + size;
    }
    i += size;
  }
  return { text, starts, ends };
}

/** A view of the units `from` to `to` (exclusive). */
export function slice(source: Aligned, from: number, to: number): Aligned {
  if (from === 0 && to === source.text.length) return source;
  return {
    text: source.text.slice(from, to),
    starts: source.starts.subarray(from, to),
    ends: source.ends.subarray(from, to),
  };
}

/** The text with `edits` made; they are in order and do not overlap. What is new stands for all that it replaces. */
export function edit(source: Aligned, edits: readonly Edit[]): Aligned {
  if (edits.length === 0) return source;
  const length = edits.reduce((sum, { from, to, by }) => sum + by.length - (to - from), source.text.length);
  const starts = new Int32Array(length);
  const ends = new Int32Array(length);
  let text = "";
  let done = 0;
  const keep = (to: number): void => {
    starts.set(source.starts.subarray(done, to), text.length);
    ends.set(source.ends.subarray(done, to), text.length);
    text += source.text.slice(done, to);
  };
  for (const { from, to, by } of edits) {
    keep(from);
    const end = text.length + by.length;
    starts.fill(source.starts[from]!, text.length, end);
    ends.fill(source.ends[to - 1]!, text.length, end);
    text += by;
    done = to;
  }
  keep(source.text.length);
  return { text, starts, ends };
}

/** Replaces every match of the global `pattern`. */
export function rewrite(source: Aligned, pattern: RegExp, by: (match: string) => string): Aligned {
  const edits: Edit[] = [];
  for (const match of source.text.matchAll(pattern)) {
    const replacement = by(match[0]);
    if (match[0] === "" || replacement === match[0]) continue;
    edits.push({ from: match.index, to: match.index + match[0].length, by: replacement });
  }
  return edit(source, edits);
}

/** The text with `prefix` before it, which stands for its first unit; an empty text stays empty. */
export function prepend(source: Aligned, prefix: string): Aligned {
  if (source.text === "") return source;
  const before = <T>(value: T): T[] => Array.from({ length: prefix.length }, () => value);
  return {
    text: prefix + source.text,
    starts: Int32Array.from([...before(source.starts[0]!), ...source.starts]),
    ends: Int32Array.from([...before(source.ends[0]!), ...source.ends]),
  };
}
