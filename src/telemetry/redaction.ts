import { cut } from "./text.ts";

/** Personal data in a text. `start`/`end` are UTF-16 offsets, end exclusive. */
export interface Found {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** Personal data that is known by its value, such as a name that was found elsewhere in the exchange. */
export interface Known {
  readonly type: string;
  readonly value: string;
}

/**
 * The first `look` characters of a text with personal data replaced by its type, cut to `most` characters. Where the text
 * goes on behind them, their last `margin` ones are only looked at. `whole`: nothing was left out.
 */
export type Redact = (
  text: string,
  look: number,
  most: number,
) => { readonly text: string; readonly whole: boolean };

/** Longest personal data that may be cut by the end of what is looked at; so much before that end is not recorded. */
export const margin = 512;
/** With more to look for than this, an exchange is not recorded: each is looked for everywhere. */
const mostKnown = 256;

/**
 * @param find finds personal data that has a form of its own.
 * @returns undefined where there is more known than can be looked for.
 */
export function redaction(
  known: readonly Known[],
  find: (text: string) => readonly Found[],
): Redact | undefined {
  const values = new Map(known.map(({ type, value }) => [normal(value), type]));
  values.delete("");
  if (values.size > mostKnown) return undefined;
  const repeated = repetitions(values);
  return (text, look, most) => {
    const seen = text.slice(0, look);
    const end = text.length > look ? look - margin : seen.length;
    if (end <= 0) return { text: "", whole: text === "" };
    const found = [...find(seen), ...repeated(seen)].sort((a, b) => a.start - b.start || b.end - a.end);
    let out = "";
    let at = 0;
    for (const one of found) {
      if (one.start >= end || out.length > most) break;
      // Of what overlaps, the first names the type and all of it goes.
      if (one.start >= at) out += `${seen.slice(at, one.start)}[${one.type}]`;
      at = Math.max(at, one.end);
    }
    if (at < end) out += seen.slice(at, end);
    return { text: cut(out, most), whole: text.length <= look && out.length <= most };
  };
}

const normal = (value: string): string => value.trim().toLowerCase().replace(/\s+/g, " ");

/** Finds values again wherever they stand, in any case and with any white space between their words. */
function repetitions(values: ReadonlyMap<string, string>): (text: string) => Found[] {
  if (values.size === 0) return () => [];
  const longestFirst = [...values.keys()].sort((a, b) => b.length - a.length);
  const pattern = longestFirst
    .map((value) => value.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&").replaceAll(" ", "\\s+"))
    .join("|");
  const search = new RegExp(pattern, "giu");
  return (text) =>
    [...text.matchAll(search)].map(({ 0: match, index }) => ({
      type: values.get(normal(match)) ?? "PII",
      start: index,
      end: index + match.length,
    }));
}
