/** Places `start`..`end` of a list of tokens, end exclusive. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/** Sizes in tokens: `tokens` with the two marks around the content, `overlap` without. */
export interface WindowSize {
  readonly tokens: number;
  readonly overlap: number;
}

/** Marks around the content of a window: [CLS] in front, [SEP] behind. */
const MARKS = 2;

/**
 * Cuts `count` tokens into windows. All begin a fixed step apart, whatever follows, so that a text which grows keeps the
 * windows it had. No tokens: one empty window.
 */
export function windowsOf(count: number, { tokens, overlap }: WindowSize): Window[] {
  const room = tokens - MARKS;
  const windows: Window[] = [];
  let start = 0;
  do {
    windows.push({ start, end: Math.min(start + room, count) });
    start += room - overlap;
  } while (start + overlap < count);
  return windows;
}

/** The tokens of window `index` that stand farther from its edges than from those of its neighbours. */
export function ownPart(windows: readonly Window[], index: number): Window {
  const { start, end } = windows[index]!;
  const before = windows[index - 1];
  const after = windows[index + 1];
  // Of an odd overlap the middle token is as far from either edge; the earlier window has it.
  return {
    start: before ? start + Math.ceil((before.end - start) / 2) : start,
    end: after ? after.start + Math.ceil((end - after.start) / 2) : end,
  };
}

/** A window as the graph takes it. (n,) each */
export interface Feed {
  readonly ids: Int32Array;
  readonly cases: Int32Array;
}

/** Puts the marks around the content of a window. */
export function feedOf(
  tokens: { readonly ids: Int32Array; readonly cases: Uint8Array },
  { start, end }: Window,
  marks: { readonly cls: number; readonly sep: number },
): Feed {
  const ids = new Int32Array(end - start + MARKS);
  const cases = new Int32Array(ids.length);
  ids[0] = marks.cls;
  ids.set(tokens.ids.subarray(start, end), 1);
  ids[ids.length - 1] = marks.sep;
  cases.set(tokens.cases.subarray(start, end), 1);
  return { ids, cases };
}
