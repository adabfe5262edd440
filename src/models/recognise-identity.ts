import { birthday, issuedSsn, residentId } from "./checks.ts";
import type { Entity } from "./encode.ts";
import { CERTAIN, NAMED_ONLY } from "./recognise-cards.ts";
import { type Context, found } from "./recognise-context.ts";

const SSN = /(?:(?<![\w.-])|(?<=\bssn))(?<!\d[ /])\d{3}( - |[-. ]?)\d{2}\1\d{4}(?!\w|[.-]\d|[ /]\d{3,})/gi;
const SSN_WORDS =
  /\bssn|_ssn|ssn_|\bss ?#|\bsoc\.? ?sec\b|social[\s_-]?security|\bsocial(?:\s+(?:is|number|no))|社会安全|社会保障|社安|社保号/i;

/** A label that says what else the number is. */
const NO_SSN =
  /(?:\bpart|\border|invoice|\bsku|model|serial|\bitem|ticket|\bcase|tracking|product|catalog(?:ue)?|\bbatch|\blot|\bref(?:erence)?|flight|\b(?:rooms?|suite|unit|apt|locker|shelf|seat|gate|row|pages?|lines?|range|scores?|bin|zone|box|track|document|barcode|code|bus|train|version|sum|extension|ext)|zimmer|seite|salle|habitaci[oó]n|房间|编号|货号|零件)(?:[ _-]?(?:no\.?|number|num|id|code|#))?[\s:#]*$/i;
/** A part's number goes on, a sum has a result. */
const NO_SSN_AFTER = /^(?:-[A-Za-z]|\s?=|\s?[*/×÷]\s?\d)/;

/** United States Social Security numbers of the issued ranges; others, and those without hyphens, where they are named. */
export function socialSecurity(context: Context): Entity[] {
  const out: Entity[] = [];
  for (const m of context.text.matchAll(SSN)) {
    const issued = issuedSsn(m[0].replace(/\D/g, ""));
    const end = m.index + m[0].length;
    const named =
      m[1] !== "-" && m[1] !== "."
        ? context.labelled(m.index, SSN_WORDS)
        : context.named(m.index, end, SSN_WORDS);
    if (named || (m[1] !== "" && lists(out, m.index)))
      out.push(found("US_SSN", m.index, end, issued ? CERTAIN : NAMED_ONLY));
    else if (
      issued &&
      m[1] === "-" &&
      !NO_SSN.test(context.before(m.index)) &&
      !NO_SSN_AFTER.test(context.text.slice(end, end + 4))
    )
      out.push(found("US_SSN", m.index, end, 0.85));
  }
  return out;
}

// "SSNs 123-45-6789 and 234-56-7890": what follows one is of its kind.
function lists(out: readonly Entity[], start: number): boolean {
  const last = out.at(-1);
  return last !== undefined && start - last.end <= 6 && last.score !== NAMED_ONLY;
}

const REGION = "(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])\\d{4}";
const RESIDENT = new RegExp(
  `(?<![0-9A-Za-z])${REGION}([ -]?)(?:19|20)\\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01])\\1\\d{3}[\\dXx](?![0-9A-Za-z])`,
  "g",
);
// The same in other groups, or right after "ID": only with its check digit.
const LOOSE = /(?:(?<![0-9A-Za-z])|(?<=ID))\d(?:[ _-]?\d){16}[ _-]?[\dX](?![0-9A-Za-z])/gi;
const COMPACT = new RegExp(
  `^${REGION}(?:19|20)\\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01])\\d{3}[\\dX]$`,
  "i",
);
const OLD = new RegExp(
  `(?<![0-9A-Za-z.])${REGION}\\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01])\\d{3}(?![0-9A-Za-z])`,
  "g",
);
const RESIDENT_WORDS =
  /身份证|证件号|公民身份|居民身份|identity|resident|national id|\bid\b|id[\s_-]?(?:card|num|no)|idcard|_id\b/i;

/** Chinese resident ids: region, date of birth, check digit; the old ones of 15 places where they are named. */
export function residents(context: Context): Entity[] {
  const out: Entity[] = [];
  for (const m of context.text.matchAll(RESIDENT)) {
    const end = m.index + m[0].length;
    const id = m[0].replace(/[ -]/g, "");
    if (residentId(id) && birthday(id.slice(6, 14))) out.push(found("CN_RESIDENT_ID", m.index, end, CERTAIN));
    else if (context.named(m.index, end, RESIDENT_WORDS)) {
      out.push(found("CN_RESIDENT_ID", m.index, end, NAMED_ONLY));
    }
  }
  for (const m of context.text.matchAll(LOOSE)) {
    const id = m[0].replace(/[ _-]/g, "");
    if (
      out.some((one) => one.start === m.index) ||
      !COMPACT.test(id) ||
      !residentId(id) ||
      !birthday(id.slice(6, 14))
    )
      continue;
    if (id !== m[0] || /ID$/i.test(context.text.slice(m.index - 2, m.index))) {
      out.push(found("CN_RESIDENT_ID", m.index, m.index + m[0].length, CERTAIN));
    }
  }
  if (!/身份证/.test(context.text)) return out;
  for (const m of context.text.matchAll(OLD)) {
    if (context.labelled(m.index, /身份证/)) {
      out.push(found("CN_RESIDENT_ID", m.index, m.index + m[0].length, NAMED_ONLY));
    }
  }
  return out;
}

const LICENCE = /(?<![\w-])[A-Z]{0,3}(?:-?\d[A-Z]?){4,15}(?![\w-])/gi;
const MIXED = /(?<![\w-])(?=[A-Z]*\d)[A-Z0-9]{7,16}(?![\w-])/g;
const SPACED = /(?<![\w-])[A-Z]?\d{2,4}(?: \d{2,4}){1,3}(?![\w-])/gi;
const DRIVER =
  /driv(?:er|ing)['’]?s?[\s_-]*(?:licen[cs]e|permit|lic\b)|licen[cs]ed? driver|(?<!\/)\bDLN?\b[\s_]*(?:no\.?|num(?:ber)?|id|is)?\W*$|dl[_ ]?(?:no|num|number)|驾照|驾驶证|行驶证号|driver_?licen/i;
const BARE = /\blicen[cs]e(?:\s+(?:no\.?|number|num|id|#))?[\s:#'"=]*(?:is\s+)?$/i;
const OTHER =
  /plate|\bkey\b|software|\bmit\b|apache|\bbsd\b|\bgpl|medical|nursing|business|serial|fishing|\btests?\b|\bexam|questions|车牌/i;
/** Behind a count, and behind the licence of a program. */
const COUNTED =
  /^ (?:times|rows|records|users|seats|copies|people|drivers|bytes|[kmg]b|lines|points|questions|files|miles|km|years?)\b/i;
const FOR = /^ (?:for (?!driv|my|his|her|the driver)|key|seat|is valid for \d+ (?:user|seat|machine))/i;
const CLOSE = 36;

/** United States driver licences, whose forms are many: only what its context names. */
export function licences(context: Context): Entity[] {
  const { text } = context;
  if (!/licen[cs]e|\bDLN?\b|dl_|permit|驾照|驾驶证/i.test(text)) return [];
  const out: Entity[] = [];
  const seen = new Set<number>();
  for (const m of [...text.matchAll(SPACED), ...text.matchAll(LICENCE), ...text.matchAll(MIXED)]) {
    const start = m.index;
    const value = m[0];
    const digits = value.replace(/\D/g, "").length;
    const before = context.head(start) ?? text.slice(Math.max(0, start - CLOSE), start);
    if (seen.has(start) || digits < 3 || OTHER.test(before) || /^(?:19|20)\d{2}-/.test(value)) continue;
    // Nothing but its name and small words stands before it, no other number.
    const near = DRIVER.test(before.slice(before.search(/\d{3}\D*$/) + 1));
    const after = text.slice(start + value.length, start + value.length + 30);
    if (COUNTED.test(after) || (!near && (!BARE.test(before) || digits < 6 || FOR.test(after)))) continue;
    // Groups are one number only where nothing but its name says so.
    if (value.includes(" ") && (!near || digits < 7)) continue;
    seen.add(start);
    out.push(found("US_DRIVER_LICENSE", start, start + value.length, near ? 0.8 : 0.77));
  }
  return out;
}
