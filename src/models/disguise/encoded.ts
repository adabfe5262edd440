import { base64 } from "./base64.ts";
import { binary, codes, hex } from "./digits.ts";
import { grouped, joined, type Piece } from "./groups.ts";
import type { Hidden } from "./hidden.ts";
import { readable } from "./readable.ts";

const ANY = /[0-9A-Za-z+/_-]{12}|[0-9A-Za-z]{1,8}[^0-9A-Za-z]/;

/** Runs of base64 (also its URL form), base32, hex, binary and character codes that hold text, whole or in pieces. */
export function encoded(text: string): Hidden[] {
  if (!ANY.test(text)) return [];
  const found = [...base64(text), ...base32(text)];
  return /\d/.test(text) ? [...found, ...hex(text), ...binary(text), ...codes(text)] : found;
}

const BASE32 = /(?<![A-Za-z0-9])[A-Z2-7]{2,}={0,6}(?![A-Za-z0-9])/g;
const GAP = /^[^A-Za-z0-9]{1,6}$/;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function base32(text: string): Hidden[] {
  const found: Hidden[] = [];
  for (const group of grouped(text, BASE32, GAP)) {
    const body = joined(group).replace(/=+/g, "");
    const said = body.length < 16 ? undefined : readable(fromBase32(body));
    if (said === undefined) continue;
    found.push({
      kind: "base32",
      text: said,
      start: (group[0] as Piece).start,
      end: (group.at(-1) as Piece).end,
    });
  }
  return found;
}

function fromBase32(body: string): Uint8Array {
  const out = new Uint8Array(Math.floor((body.length * 5) / 8));
  let bits = 0;
  let held = 0;
  let size = 0;
  for (const c of body) {
    held = ((held << 5) | ALPHABET.indexOf(c)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    out[size++] = (held >> bits) & 0xff;
  }
  return out;
}
