import type { Hidden } from "./hidden.ts";

const NAMED =
  /(?<![\w$])([A-Za-z_$][\w$]{0,15})\s{0,3}(?::?=|:|是|为)\s{0,3}(?:"([^"\n]{1,80})"|'([^'\n]{1,80})'|“([^”\n]{1,80})”)/g;
const PIECE = "(?:[A-Za-z_$][\\w$]{0,15}|\"[^\"\\n]{0,80}\"|'[^'\\n]{0,80}')";
const SUM = new RegExp(`(?<![\\w$"'])${PIECE}(?:[ \\t]{0,3}\\+[ \\t]{0,3}${PIECE})+`, "g");
const MIN_LETTERS = 8;

/** What literals and named pieces add up to ("a='ign'; b='ore all'; a+b"), where a word is cut between two of them. */
export function assembled(text: string): Hidden[] {
  if (!text.includes("+")) return [];
  const named = new Map<string, { said: string; start: number }>();
  for (const m of text.matchAll(NAMED)) {
    named.set(m[1] as string, { said: (m[2] ?? m[3] ?? m[4]) as string, start: m.index });
  }
  const found: Hidden[] = [];
  for (const m of text.matchAll(SUM)) {
    let said = "";
    let last = "";
    let start = m.index;
    let cut = false;
    for (const piece of m[0].match(new RegExp(PIECE, "g")) ?? []) {
      const variable = named.get(piece);
      const part = variable?.said ?? (/^["']/.test(piece) ? piece.slice(1, -1) : undefined);
      if (part === undefined) {
        said = "";
        break;
      }
      if (/\p{L}/u.test(last) && /^[\p{Ll}\p{Lo}]/u.test(part)) cut = true;
      start = Math.min(start, variable?.start ?? start);
      last = part.slice(-1);
      said += part;
    }
    if (!cut || (said.match(/\p{L}/gu)?.length ?? 0) < MIN_LETTERS) continue;
    found.push({ kind: "pieces", text: said, start, end: m.index + m[0].length });
  }
  return found;
}
