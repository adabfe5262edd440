import { isLanguage } from "./readable.ts";

// How a text is kept in characters that nobody sees.

/** Variation selectors 1 to 256 as the bytes of a text. */
export function selectors(run: string): string | undefined {
  const bytes: number[] = [];
  for (const c of run) {
    const code = c.codePointAt(0) as number;
    if (code >= 0xfe00 && code <= 0xfe0f) bytes.push(code - 0xfe00);
    else if (code >= 0xe0100 && code <= 0xe01ef) bytes.push(code - 0xe0100 + 16);
  }
  return bytes.length >= 4 ? mostly(bytes) : undefined;
}

/** The kinds of signs that may stand for digits; the others are noise, or part the letters. */
const KINDS = 4;

/** Two invisible characters as the bits of a text, eight or seven of them a letter or parted by a third one; or four of them as its digits. */
export function bits(run: string): string | undefined {
  if (run.length < 24) return undefined;
  const counts = [...Map.groupBy([...run], (c) => c)].sort((a, b) => b[1].length - a[1].length);
  const kinds = counts.slice(0, KINDS).map(([c]) => c);
  if (kinds.length < 2) return undefined;
  for (const zero of kinds) {
    for (const one of kinds) {
      const said = one === zero ? undefined : inBase2(run, zero, one);
      if (said !== undefined) return said;
    }
  }
  return kinds.length === 4 ? inBase4(run, kinds) : undefined;
}

function inBase2(run: string, zero: string, one: string): string | undefined {
  const digits = [...run].map((c) => (c === zero ? "0" : c === one ? "1" : " ")).join("");
  const line = digits.replaceAll(" ", "");
  if (line.length * 2 < run.length) return undefined;
  for (const size of [8, 7]) {
    const said = line.length < 24 ? undefined : mostly(cut(line, size, 2), true);
    if (said !== undefined) return said;
  }
  const parted = digits.split(/ +/).filter((part) => part !== "");
  return parted.length >= 4 && parted.every((part) => part.length <= 8)
    ? mostly(
        parted.map((part) => Number.parseInt(part, 2)),
        true,
      )
    : undefined;
}

// Which sign is which digit shows in their order as characters, the lowest first, as encoders have it.
function inBase4(run: string, kinds: readonly string[]): string | undefined {
  const order = [...kinds].sort();
  const line = [...run]
    .map((c) => order.indexOf(c))
    .filter((digit) => digit >= 0)
    .join("");
  return mostly(cut(line, 4, 4), true);
}

const cut = (line: string, size: number, base: number): number[] =>
  Array.from({ length: Math.floor(line.length / size) }, (_, i) =>
    Number.parseInt(line.slice(i * size, (i + 1) * size), base),
  );

/** What several runs say together. */
export function across(runs: string): string | undefined {
  const said = selectors(runs) ?? bits(runs);
  return said !== undefined && said.length >= 6 ? said : undefined;
}

const UTF8 = new TextDecoder("utf-8");
const BAD = /[^\p{L}\p{M}\p{N}\p{P}\p{S}\s]|\ufffd/gu;
const WORD = /[\p{L}\p{N}]/gu;

/** The text that `bytes` are, without those that are none, if these are few. `strict`: and it is language, or all of it letters. */
function mostly(bytes: readonly number[], strict = false): string | undefined {
  const whole = UTF8.decode(Uint8Array.from(bytes));
  const said = whole.replace(BAD, "");
  const letters = said.match(WORD)?.length ?? 0;
  if (letters < 2 || said.length < 0.75 * whole.length) return undefined;
  if (strict && new Set(said).size < Math.min(4, said.length)) return undefined;
  if (!strict) return said;
  const plain =
    said.length === whole.length && letters + (said.match(/\s/g)?.length ?? 0) >= 0.8 * said.length;
  return plain || isLanguage(said) ? said : undefined;
}
