import type { Edit } from "./edits.ts";

/** Latin letters with strokes, hooks and bends, which Unicode does not decompose, and small capitals, after the plain one. */
const BASE = new Map(
  (
    "aᴀⱥɑɐ bʙƀɓƃ cᴄȼƈɕꞓꞔ dᴅđɖɗƌ eᴇɇǝɘəɛɜ fꜰƒ gɢǥɠɡ hʜħɦⱨ iɪıɨɩ jᴊɉȷʝ kᴋƙꝁⱪ lʟłƚɫɭⱡꝉ mᴍɱɯ nɴɲƞɳŋ oᴏøɔɵ pᴘƥꝑᵽ qꞯʠɋꝗ " +
    "rʀɍɽɾɹ sꜱʂȿ tᴛŧƭʈⱦ uᴜʉᵾʊ vᴠʋⱱʌ wᴡⱳʍ yʏɏƴʎ zᴢƶȥʐʑɀ AȺ BɃƁƂ CȻƇ DĐƉƊ EɆƐƎƏ FƑ GǤƓ HĦⱧ IƗ JɈ KƘꝀⱩ LŁȽⱠⱢꝈ MⱮ NŊƝȠ " +
    "OØƆƟ PⱣƤꝐ QꝖɊ RɌⱤ TŦƬƮȾ UɄƲ YɎƳ ZƵȤ"
  )
    .split(" ")
    .flatMap((row) => [...row].slice(1).map((c): [string, string] => [c, row.charAt(0)])),
);
const PAIRS = new Map(
  Object.entries({ æ: "ae", Æ: "Ae", œ: "oe", Œ: "Oe", ß: "ss", ẞ: "SS", þ: "th", Þ: "Th", ð: "d", Ð: "D" }),
);
const ANY = new RegExp(`[${[...BASE.keys(), ...PAIRS.keys()].join("")}]`, "gu");
const WORDS = /[\p{L}\p{M}]+/gu;
/** A letter of another script: the word is no Latin one, or its sounds written down. */
const OTHER = /(?!\p{Script=Latin})\p{L}/u;

/** A decorated letter's plain form, if it is one. */
export const plainLatin = (c: string): string | undefined => BASE.get(c) ?? PAIRS.get(c);

/** Within Latin words, letters that the model's vocabulary lacks or keeps apart, as the plain ones they are based on. */
export function decorated(text: string): Edit[] {
  const edits: Edit[] = [];
  if (text.search(ANY) < 0) return edits;
  for (const word of text.matchAll(WORDS)) {
    if (word[0].length < 2 || OTHER.test(word[0])) continue;
    for (const m of word[0].matchAll(ANY)) {
      const start = word.index + m.index;
      edits.push({ start, end: start + m[0].length, text: plainLatin(m[0]) as string });
    }
  }
  return edits;
}
