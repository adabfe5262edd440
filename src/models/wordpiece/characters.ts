/** Classes of characters after normalisation: what the splitter does with one. */
export const SPACE = 1;
export const LETTER = 2;
export const HAN = 3;
export const SINGLE = 4;
/** The bits of a kind that hold the class. */
export const CLASS = 7;
/** Set in a kind: normalisation makes something else of the character, see `Characters.normal`. */
export const CHANGES = 8;

/** What normaliser and splitter do with each code point. */
export interface Characters {
  /** Class of a code point as it stands, with CHANGES where it does not stay as it is. */
  kind(code: number): number;
  /** The code point after NFKD, removal of controls and accents, and lower-casing: "" where nothing stays of it. */
  normal(code: number): string;
}

const WORD = /^[\p{L}\p{N}\p{M}]$/u;
const IDEOGRAPH = /^\p{Script=Han}$/u;
const BLANK = /^\p{White_Space}$/u;
const BREAK = /^[\t\n\r]$/u;
const REMOVED = /^[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Mn}\ufffd\u1734\u{1171e}]$/u;

/*
 * The model learnt from a tokenizer whose Unicode tables are of several ages, all of them older than this runtime's. Two
 * lists give its view of the characters that are younger than its tables; all other properties are the runtime's.
 * test/models/wordpiece.test.ts fails for each code point below U+30000 that a runtime sees in another way.
 */

/** It does not know that these are marks, controls, capitals or compositions: they stay as they are. */
const STAYS = codePoints(
  "7fd 890-891 897-89f 8ca-8e2 9fe afa-aff b55 c04 c3c d00 d3b-d3c d81 eba ece 180f 1885-1886 1abf-1add " +
    "1ae0-1aeb 1df6-1dfb 32ff a7ce a7d2 a7d4 a7f1-a7f4 a82c a8c5 a8ff a9bd ab69 105c9 105e4 10781-10785 " +
    "10787-107b0 107b2-107ba 10d24-10d27 10d69-10d6d 10eab-10eac 10efa-10eff 10f46-10f50 10f82-10f85 " +
    "11070 11073-11074 110c2 110cd 111c9 111cf 1123e 11241 1133b 11383 11385 1138e 11391 113bb-113c0 " +
    "113c5 113c7-113c8 113ce 113d0 113d2 113e1-113e2 11438-1143f 11442-11444 11446 1145e 1182f-11837 " +
    "11839-1183a 11938 1193b-1193c 1193e 11943 119d4-119d7 119da-119db 119e0 11a01-11a0a 11a33-11a38 " +
    "11a3b-11a3e 11a47 11a51-11a56 11a59-11a5b 11a8a-11a96 11a98-11a99 11b60 11b62-11b64 11b66 " +
    "11c30-11c36 11c38-11c3d 11c3f 11c92-11ca7 11caa-11cb0 11cb2-11cb3 11cb5-11cb6 11d31-11d36 11d3a " +
    "11d3c-11d3d 11d3f-11d45 11d47 11d90-11d91 11d95 11d97 11ef3-11ef4 11f00-11f01 11f36-11f3a 11f40 " +
    "11f42 11f5a 13430-13440 13447-13455 1611e-16129 1612d-1612f 16d68-16d6a 16ea0-16eb8 16f4f 16fe4 " +
    "1ccd6-1ccf9 1cf00-1cf2d 1cf30-1cf46 1e000-1e006 1e008-1e018 1e01b-1e021 1e023-1e024 1e026-1e02a " +
    "1e030-1e06d 1e08f 1e130-1e136 1e2ae 1e2ec-1e2ef 1e4ec-1e4ef 1e5ee-1e5ef 1e6e3 1e6e6 1e6ee-1e6ef " +
    "1e6f5 1e944-1e94a 1f16c 1fbf0-1fbf9",
);

/** It does not know that these are letters, digits or marks: each stands alone and leaves the words beside it whole. */
const ALONE = codePoints(
  "88f c5c cdc 1acf-1add 1ae0-1aeb a7ce-a7cf a7d2 a7d4 a7f1 10940-10959 10ec5-10ec7 10efa-10efb " +
    "11b60-11b67 11db0-11ddb 11de0-11de9 16ea0-16eb8 16ebb-16ed3 187f8-187ff 18d09-18d1e 18d80-18df2 " +
    "1e6c0-1e6de 1e6e0-1e6f5 1e6fe-1e6ff",
);

function codePoints(ranges: string): Set<number> {
  const all = new Set<number>();
  for (const range of ranges.split(" ")) {
    const [first = "", last = first] = range.split("-");
    for (let c = Number.parseInt(first, 16); c <= Number.parseInt(last, 16); c++) all.add(c);
  }
  return all;
}

function normalise(code: number): string {
  const raw = String.fromCodePoint(code);
  if (STAYS.has(code)) return raw;
  let out = "";
  for (const c of raw.normalize("NFKD")) {
    if (BREAK.test(c)) out += " ";
    else if (REMOVED.test(c)) continue;
    else out += BLANK.test(c) ? " " : c.toLowerCase();
  }
  return out;
}

function classOf(code: number, han: ReadonlySet<number>): number {
  const c = String.fromCodePoint(code);
  if (BLANK.test(c)) return SPACE;
  if (han.has(code)) return HAN;
  return WORD.test(c) && !ALONE.has(code) && !IDEOGRAPH.test(c) ? LETTER : SINGLE;
}

/** Tables that fill as characters are met. `han`: the ideographs that form runs; every other one stands alone. */
export function characters(han: ReadonlySet<number>): Characters {
  const kinds = new Uint8Array(0x110000);
  const changed = new Map<number, string>();
  return {
    kind(code) {
      const known = kinds[code] as number;
      if (known !== 0) return known;
      const text = normalise(code);
      let kind = classOf(code, han);
      // A character that is removed needs no entry: there are more than 100,000 of them.
      if (text !== String.fromCodePoint(code)) {
        kind |= CHANGES;
        if (text !== "") changed.set(code, text);
      }
      kinds[code] = kind;
      return kind;
    },
    normal: (code) => changed.get(code) ?? "",
  };
}
