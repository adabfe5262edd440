/** A text in which parts were replaced, and the way back. */
export interface Revealed {
  readonly text: string;
  /** UTF-16 index in `text` -> index in the original; one entry more than `text` has units. Absent: nothing changed. */
  readonly at?: Int32Array;
}

/** `start`..`end` (UTF-16, end exclusive) becomes `text`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Applies `edits`, which are in order and do not overlap, to what `before` says. */
export function apply(before: Revealed, edits: readonly Edit[]): Revealed {
  if (edits.length === 0) return before;
  const { text } = before;
  const parts: string[] = [];
  let size = text.length;
  for (const edit of edits) size += edit.text.length - (edit.end - edit.start);
  const at = new Int32Array(size + 1);
  const original = before.at;
  const back = (i: number): number => (original ? (original[i] as number) : i);
  let from = 0;
  let to = 0;
  for (const edit of edits) {
    parts.push(text.slice(from, edit.start), edit.text);
    for (; from < edit.start; from++) at[to++] = back(from);
    // Spread over what they replace, so that a span in the middle of the new text is not empty in the old one.
    const ratio = (edit.end - edit.start) / edit.text.length;
    for (let k = 0; k < edit.text.length; k++) at[to++] = back(edit.start + Math.floor(k * ratio));
    from = edit.end;
  }
  parts.push(text.slice(from));
  for (; from <= text.length; from++) at[to++] = back(from);
  return { text: parts.join(""), at };
}

/** `edits` in order of their place; of two that overlap the first stays. */
export function ordered(edits: Edit[]): Edit[] {
  edits.sort((a, b) => a.start - b.start);
  let end = 0;
  return edits.filter((edit) => {
    if (edit.start < end) return false;
    end = edit.end;
    return true;
  });
}
