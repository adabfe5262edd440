import { createRequire } from "node:module";
import type { Entity } from "./encode.ts";
import { found, near } from "./recognise-numbers.ts";

// Loaded on first use: its metadata takes 8 MB, and most texts hold nothing that looks like a phone number.
const require = createRequire(import.meta.url);
let library: typeof import("libphonenumber-js/min") | undefined;

// One question costs 10 us; past so many in one text a number of plausible length is believed.
const MAX_QUESTIONS = 500;
let questions = 0;

function possible(value: string, country: "US" | undefined): boolean {
  questions += 1;
  if (questions > MAX_QUESTIONS) return true;
  library ??= require("libphonenumber-js/min") as typeof import("libphonenumber-js/min");
  return library.parsePhoneNumberFromString(value, country)?.isPossible() ?? false;
}

// Own search instead of the library's: its time on hostile text is bounded, and bare numbers are not its guess.
const CANDIDATE = /(?<![\w.,$€£¥/+-])(?:\+ ?|00)?\(?\d(?:[ ().-]{0,2}\d){6,14}(?![\w%]|[.,/-]\d)/g;
const WORDS =
  /phone|mobile|\bcell|\btel\b|telephone|\bcall\b|whats ?app|\bsms\b|\bfax\b|text me|contact|电话|手机|致电|联系|拨打|热线|号码/i;
const NORTH_AMERICAN = /^(?:\+?1[ .-]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}$/;
const CHINESE_MOBILE = /^(?:(?:\+|00)?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}$/;
const CHINESE_LANDLINE = /^(?:\(0\d{2,3}\) ?|0\d{2,3}[- ])[2-8]\d{6,7}$/;
const DATE = /^(?:(?:19|20)\d{2}[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)\d{2})(?!\d)/;

/** Phone numbers: international form, North American and Chinese forms, others where the context names a phone. */
export function phones(text: string): Entity[] {
  const out: Entity[] = [];
  questions = 0;
  for (const m of text.matchAll(CANDIDATE)) {
    let value = m[0];
    const opened = value.indexOf("(");
    if (opened >= 0 && !value.includes(")")) value = value.slice(0, opened);
    value = value.replace(/[ ().-]+$/, "");
    const score = scoreOf(text, m.index, value);
    if (score > 0) out.push(found("PHONE_NUMBER", m.index, m.index + value.length, score));
  }
  return out;
}

function scoreOf(text: string, start: number, value: string): number {
  const digits = value.replace(/\D/g, "");
  if (digits.length < 7 || digits.length > 15 || DATE.test(value) || /^(\d)\1+$/.test(digits)) return 0;
  const named = near(text, start, start + value.length, WORDS);
  if (/^(?:\+|00[1-9])/.test(value)) {
    if (possible(value.replace(/^00/, "+"), undefined)) return 0.95;
    return named ? 0.7 : 0;
  }
  if (CHINESE_MOBILE.test(value)) return named || value.includes("86") ? 0.95 : 0.8;
  if (NORTH_AMERICAN.test(value)) return named ? 0.95 : 0.85;
  if (CHINESE_LANDLINE.test(value)) return named ? 0.9 : 0.75;
  if (!named) return 0;
  if (possible(value, "US")) return 0.75;
  return /[ ().-]/.test(value) || value.startsWith("0") ? 0.6 : 0;
}
