import type { Hidden } from "./hidden.ts";

/** How much of `room` each size gets: all share alike, and what the small ones leave goes to the large ones. */
export function allot(sizes: readonly number[], room: number): number[] {
  const out = new Array<number>(sizes.length).fill(0);
  let left = room;
  let ones = sizes.length;
  for (const i of sizes.map((_, i) => i).sort((a, b) => (sizes[a] as number) - (sizes[b] as number))) {
    out[i] = Math.min(sizes[i] as number, Math.floor(left / ones));
    left -= out[i] as number;
    ones -= 1;
  }
  return out;
}

/** At most `room` units of `text`, from its begin and from its end. */
export function clipped(text: string, room: number): string {
  if (text.length <= room) return text;
  const head = Math.floor(room / 2);
  return text.slice(0, head) + text.slice(text.length - (room - head));
}

const MANY = 16;

/**
 * Past so many of one finder they become one text of its kind, in order, so that none is lost and few are to be read.
 * What is said again is left out: a text must not crowd out another by being repeated.
 */
export function together(found: readonly Hidden[]): readonly Hidden[] {
  if (found.length <= MANY) return found;
  return [...Map.groupBy(found, (one) => one.kind)].map(([kind, ones]) => ({
    kind,
    text: [...new Set(ones.map((one) => one.text))].join("\n"),
    start: (ones[0] as Hidden).start,
    end: (ones.at(-1) as Hidden).end,
  }));
}
