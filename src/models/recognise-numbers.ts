import { IBAN_LENGTHS, issuedSsn, luhn, mod97, residentId } from "./checks.ts";
import type { Entity } from "./encode.ts";

/** Score of a value whose check digits hold. */
export const CERTAIN = 1;
/** Score of a value with the form, failing its check digits, that its context names. */
export const NAMED_ONLY = 0.6;

const CONTEXT_BEFORE = 48;
const CONTEXT_AFTER = 24;

/** Whether the text beside `start`..`end` matches `words`. */
export function near(text: string, start: number, end: number, words: RegExp): boolean {
  return (
    words.test(text.slice(Math.max(0, start - CONTEXT_BEFORE), start)) ||
    words.test(text.slice(end, end + CONTEXT_AFTER))
  );
}

export function found(type: string, start: number, end: number, score: number): Entity {
  return { type, start, end, score, by: "recogniser" };
}

const CARD =
  /(?<![\w.,-])(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5})(?!\w|[.,-]\d)/g;
const ISSUERS: readonly [RegExp, readonly number[]][] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^(?:30[0-5]|3[689])/, [14, 16]],
  [/^35/, [16]],
  [/^(?:6|81)/, [16, 17, 18, 19]],
  [/^(?:5[06-9])/, [13, 14, 15, 16, 17, 18, 19]],
];
const CARD_WORDS = /card|visa|master|amex|credit|debit|卡号|信用卡|银行卡|储蓄卡/i;

export function cards(text: string): Entity[] {
  const out: Entity[] = [];
  for (const m of text.matchAll(CARD)) {
    const digits = m[0].replace(/\D/g, "");
    const issued = ISSUERS.some(([prefix, sizes]) => prefix.test(digits) && sizes.includes(digits.length));
    if (!issued || /^(\d)\1+$/.test(digits)) continue;
    const end = m.index + m[0].length;
    if (luhn(digits)) out.push(found("CREDIT_CARD", m.index, end, CERTAIN));
    else if (near(text, m.index, end, CARD_WORDS)) out.push(found("CREDIT_CARD", m.index, end, NAMED_ONLY));
  }
  return out;
}

const IBAN_START = /(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ -]?[A-Za-z0-9])/g;
const IBAN_WORDS = /iban|account|bank|transfer|wire|账号|账户|汇/i;

export function ibans(text: string): Entity[] {
  const out: Entity[] = [];
  for (const m of text.matchAll(IBAN_START)) {
    const size = IBAN_LENGTHS.get(m[0].slice(0, 2).toUpperCase());
    if (size === undefined) continue;
    let compact = "";
    let i = m.index;
    // The country fixes the length, so a word that follows the number is never drawn in.
    while (compact.length < size && i < text.length && i < m.index + 48) {
      const c = text.charAt(i);
      if (/[A-Za-z0-9]/.test(c)) compact += c.toUpperCase();
      else if ((c !== " " && c !== "-") || !/[A-Za-z0-9]/.test(text.charAt(i - 1))) break;
      i += 1;
    }
    if (compact.length !== size || /[A-Za-z0-9]/.test(text.charAt(i))) continue;
    if (mod97(compact)) out.push(found("IBAN_CODE", m.index, i, CERTAIN));
    else if (/\d{6}/.test(compact) && near(text, m.index, i, IBAN_WORDS)) {
      out.push(found("IBAN_CODE", m.index, i, NAMED_ONLY));
    }
  }
  return out;
}

const SSN = /(?<![\w.-])\d{3}([-. ]?)\d{2}\1\d{4}(?!\w|[.-]\d)/g;
const SSN_WORDS = /\bssn\b|social security|社会安全|社保号/i;

export function socialSecurity(text: string): Entity[] {
  const out: Entity[] = [];
  for (const m of text.matchAll(SSN)) {
    if (!issuedSsn(m[0].replace(/\D/g, ""))) continue;
    const end = m.index + m[0].length;
    if (near(text, m.index, end, SSN_WORDS)) out.push(found("US_SSN", m.index, end, CERTAIN));
    else if (m[1] === "-") out.push(found("US_SSN", m.index, end, 0.85));
  }
  return out;
}

const RESIDENT =
  /(?<![0-9A-Za-z])(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12])\d{4}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![0-9A-Za-z])/g;
const RESIDENT_WORDS = /身份证|证件号|\bid\b|identity|resident/i;

export function residents(text: string): Entity[] {
  const out: Entity[] = [];
  for (const m of text.matchAll(RESIDENT)) {
    const end = m.index + m[0].length;
    if (residentId(m[0])) out.push(found("CN_RESIDENT_ID", m.index, end, CERTAIN));
    else if (near(text, m.index, end, RESIDENT_WORDS)) {
      out.push(found("CN_RESIDENT_ID", m.index, end, NAMED_ONLY));
    }
  }
  return out;
}

const LICENCE = /(?<![\w-])[A-Za-z]{0,2}\d{6,14}(?![\w-])/g;
const LICENCE_WORDS = /driv(?:er|ing)['’]?s?\s+licen[cs]e|\blicen[cs]e\s+(?:no|number|#|[A-Z])|驾照|驾驶证/i;

export function licences(text: string): Entity[] {
  if (!/licen[cs]e|驾照|驾驶证/i.test(text)) return [];
  const out: Entity[] = [];
  for (const m of text.matchAll(LICENCE)) {
    // Only words before it count, together with its first letter: "License V7763".
    const before = text.slice(Math.max(0, m.index - CONTEXT_BEFORE), m.index + 1);
    if (LICENCE_WORDS.test(before)) {
      out.push(found("US_DRIVER_LICENSE", m.index, m.index + m[0].length, 0.75));
    }
  }
  return out;
}
