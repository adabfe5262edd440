import { createRequire } from "node:module";
import type { Entity } from "./encode.ts";
import { type Context, datePrefix, found } from "./recognise-context.ts";
import { countriesFor, isLabelledOtherwise } from "./recognise-phone-words.ts";

// Loaded on first use: its metadata takes 8 MB, and most texts hold nothing that looks like a phone number.
const require = createRequire(import.meta.url);
let library: typeof import("libphonenumber-js/min") | undefined;

// One question costs 10 us; past so many in one text a number of plausible length is believed.
const MAX_QUESTIONS = 1000;
/** Units behind a number in which a word may name it. */
const NEAR = 20;
let questions = 0;

/** How the words for calling of a language stand beside a number, and whether it is one of that language's countries. */
function nationality(
  context: Context,
  start: number,
  value: string,
  short: boolean,
): "valid" | "cued" | undefined {
  const end = start + value.length;
  const countries = countriesFor(context.before(start), context.text.slice(end, end + NEAR), short);
  for (const country of countries) {
    questions += 1;
    if (questions > MAX_QUESTIONS) return "valid";
    library ??= require("libphonenumber-js/min") as typeof import("libphonenumber-js/min");
    if (library.parsePhoneNumberFromString(value, country)?.isValid()) return "valid";
  }
  return countries.size > 0 ? "cued" : undefined;
}

function possible(value: string, country: "US" | undefined): boolean {
  questions += 1;
  if (questions > MAX_QUESTIONS) return true;
  library ??= require("libphonenumber-js/min") as typeof import("libphonenumber-js/min");
  return library.parsePhoneNumberFromString(value, country)?.isPossible() ?? false;
}

// Own search instead of the library's: its time on hostile text is bounded, and bare numbers are not its guess.
const CANDIDATE =
  /(?<![A-Za-z0-9_.$€£¥+])(?<!(?<![\u0590-\u05ff])-)(?<!\d[,/])(?:\(\+|\+ ?|00)?\(?\d(?:(?: ?[().-] ?|[ ().-]{0,2})\d){5,16}(?!(?!x\d)[\w%]|[.-]\d|,\d{3}(?!\d)|\/\d{1,2}(?!\d))/g;
// After a comma, a slash or an escaped plus only what is a phone number by its form, or by the head of its column.
const FOLLOWING =
  /(?<=\d[,/]|%2B)(?:\+ ?|00)?\(?\d(?:[ ().-]{0,2}\d){6,14}(?!(?!x\d)[\w%]|[.-]\d|,\d{3}(?!\d))/g;
const EXTENSION = /^,? ?(?:ext\.?|extension|x|转|分机)[ .:]{0,2}\d{1,6}(?!\w)/i;
const WORDS =
  /phone|mobile|\bcell|\btel\b|telephone|\bcall(?:s|ed|ing)?\b(?! (?:sign|function|method|stack|count|option|number of))|whats ?app|wechat|\bsms\b|\bfax\b|\btext (?:me|him|her|us)|\bdial|contact|\bring me|reach (?:me|us|him|her)|(?:my|his|her|their|our) (?:\w+ )?number|\bmessages? (?:to|on|from)\b|voicemail|pager|hotline|helpline|landline|wa\.me|电话|手机|致电|联系|拨打|热线|号码|座机|传真|微信|来电|電話|手機|聯絡|致電|撥打|熱線|號碼|傳真|тел(?:\.|еф)|\bмоб|звони|telef|tél[ée]?|handy(?=\W{0,3}$)|appel|打(?=\s*$)|@[\w.-]+["']\s*,\s*["']$/i;
const NORTH_AMERICAN = /^(?:(?:\+?1|001)[ .-]?)?(?:\([2-9]\d{2}\) ?-?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}$/;
const CHINESE_MOBILE = /^(?:\(?(?:\+ ?|00)?\(?86\)?[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}$/;
const CHINESE_LANDLINE = /^(?:\(0\d{2,3}\) ?-?|0\d{2,3}[- ])[2-8]\d{2,3}[ -]?\d{4}$/;
const FRENCH = /^0[1-9](?:[ .-]\d{2}){4}$/;
const RUSSIAN = /^(?:\+?7|8) ?\(\d{3}\) ?\d{3}-\d{2}-\d{2}$/;
const BRACKETED = /^\(\d{3}\) ?\d{3}-\d{4}$/;
// Six digits in pairs, or seven alone: right after a word that calls.
const PAIRS = /^\d{2}[ .-]\d{2}[ .-]\d{2}$/;
const CALLS =
  /(?:\bcall|\btext \w{2,4} (?:on|at)|\b(?:tele)?phone|\btel\.?|\bmobile|my number(?: is)?|电话)[\s:]*$/i;
// The form of numbers made up for films and examples.
const FICTION = /^555-\d{4}$/;
const DATE = /^(?:(?:19|20)\d{2}[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)\d{2})(?!\d)/;
/** A label that says what else the number is. */
const OTHER =
  /(?:\border|invoice|ticket|tracking|\bcase|\bref(?:erence)?|account|acct|policy|serial|isbn|\bsku|models?|part|flight|zip|postal|transaction|confirmation|booking|\bid|\bssn|\bcard|\biban|编号|订单|单号|账号|账户|学号|工号|邮编|卡号|证号|快递)(?:[ _-]?(?:no\.?|number|num|code|id))?[\s#:："'=号码为是]*(?:is )?$/i;

/** What follows a number that counts something. */
const COUNTED = /^ (?:times|rows|records|users|units|items|people|bytes|lines|samples|iterations|tokens)\b/i;
const SUMS =
  /\b(?:sums?|total|scores?|range|pages?|lines|(?:(?:on|at|in|see) |^)line|rows?|between|rooms?|code|parts?|models?|part no|resolutions?|pixels|sizes?|years?|versions?|prices?|seats?|items?|ports?|errors?|products?|calc(?:ulate)?|compute|solve|evaluate|subtract|minus|simplify|seiten?|zeilen?|modelle?|pages|lignes|modèles?|páginas|modelos?)(?: of)?[\s:#.]*$|\d ?[=*×÷^] ?$|\d ?[+-] $/i;
/** What makes a number a part of a sum. */
const RESULT = /^(?: ?(?:=|[*×÷^+] ?\d| equals\b)|-[a-z]\b)/i;
/** With slashes, as in German: only right after their label, or in the international form. */
const SLASHED =
  /(?:(?<=\b(?:tel|tele?fon|phone|fon|fax|mobil|mobile|handy|cell)[.:]{0,2}\s{0,2})|(?=\+\d{1,3} ?\(0\)))\+?\(?\d{1,5}\)?(?:[ .()-]{0,3}\d{1,5}){0,3} ?\/ ?\d{2,8}(?:[ -]\d{2,6}){0,3}(?![\w/])/gi;

/** Seven to nine digits without a zero count anything: only what calls stands right before them. */
const DIRECT =
  /(?:\b(?:call|text|ring|phone|reach|message)(?:ed|ing)?(?: [\p{L}'’.-]+){1,3}(?= (?:at|on) \P{L}*$)|messages?|phones?|mobiles?|cell|\btel|call(?:s|ed|ing)?|numbers?|whats ?app|\btext|\bring|reach|dial|fax|hotline|contact|telef\p{L}*|handy|t[ée]l|тел\p{L}*|звон\p{L}*)(?:\W+(?:numbers?|no|nr|n[°º]|is|to|new|at|on|me|us|him|her|them|my|the|his|our|now|please|office|home|work|under|us)(?![\p{L}])){0,4}[\s:#.="'(-]*$|(?:电话|電話|手机|手機|座机|传真|热线|号码|號碼|致电|拨打|联系|打)\P{N}{0,6}$/iu;
/** Four numbers that are an address of another kind. */
const QUAD = /^\d{1,3}(?:\.\d{1,3}){3}$/;
/** Years, and round numbers, one beside the other. */
const ROUND =
  /^(?:(?:1[89]|20)\d\d[ -]?){2,}$|^(?:[1-9]\d*00[ -]){1,3}[1-9]\d*00$|^[1-9]\d\d0[ -][1-9]\d\d0$/;
/** "9123 4567 is my number". */
const OWN = /^\W{1,3}(?:is|was) (?:my|his|her|our|their|the)\b/i;

/** A form that its context names, and no plan of numbers confirms. */
const LOWEST = 0.75;

/** Phone numbers: international form, North American and Chinese forms, others where the context names a phone. */
export function phones(context: Context): Entity[] {
  const out: Entity[] = [];
  questions = 0;
  if (context.text.includes("/")) {
    for (const m of context.text.matchAll(SLASHED)) {
      const digits = m[0].replace(/\D/g, "").length;
      if (digits > 6 && digits < 16 && !DATE.test(m[0])) {
        out.push(found("PHONE_NUMBER", m.index, m.index + m[0].length, 0.8));
      }
    }
  }
  if (/\d[,/][\d(+]|%2B/.test(context.text)) search(context, FOLLOWING, out);
  search(context, CANDIDATE, out);
  return out;
}

function search(context: Context, pattern: RegExp, out: Entity[]): void {
  const { text } = context;
  const taken = new Map(out.map((entity) => [entity.start, entity.end]));
  let until = 0;
  pattern.lastIndex = 0;
  for (let m = pattern.exec(text); m !== null; m = pattern.exec(text)) {
    for (let i = Math.max(until, m.index - 20); i <= m.index; i++) until = Math.max(until, taken.get(i) ?? 0);
    if (m.index < until) {
      pattern.lastIndex = until;
      continue;
    }
    const date = datePrefix(m[0]);
    if (date > 0) {
      pattern.lastIndex = m.index + date;
      continue;
    }
    let value = m[0].replace(/[ ().-]+$/, "");
    // "(13812345678)" is a number in brackets, "(138) 1234" has them in it.
    const start = value.startsWith("(") && unbalanced(value) ? m.index + 1 : m.index;
    value = value.slice(start - m.index);
    const { size, score } = best(context, start, value, pattern === FOLLOWING);
    if (score === 0) continue;
    const end = start + size;
    out.push(found("PHONE_NUMBER", start, end + extension(text, end), score));
    pattern.lastIndex = end;
  }
}

function extension(text: string, end: number): number {
  return EXTENSION.exec(text.slice(end, end + 20))?.[0].length ?? 0;
}

/** Of a run of groups the leading ones that are a number: the longest of a known form, else all but a lone end. */
function best(
  context: Context,
  start: number,
  value: string,
  known: boolean,
): { size: number; score: number } {
  // One digit a group: it is the number that they make which has a form.
  if (/^\+?\d(?:[ -]\d){6,14}$/.test(value)) {
    const score = scoreOf(context, start, value.replace(/[ -]/g, ""));
    return score > 0 ? { size: value.length, score } : { size: 0, score: 0 };
  }
  const cuts = [value];
  for (let cut = value.lastIndexOf(" "); cut > 6; cut = value.lastIndexOf(" ", cut - 1)) {
    cuts.push(value.slice(0, cut).replace(/[ ().-]+$/, ""));
  }
  const formed = cuts.find((one) => hasForm(one));
  if (formed !== undefined) return { size: formed.length, score: scoreOf(context, start, formed) };
  if (known && context.head(start) === undefined) return { size: 0, score: 0 };
  // "... 07575 600798 8 am": one or two digits after a long group are a time or a count.
  const lone = /^.*\d (?:\d|(?<=\d{4} )\d{2})$/.test(value);
  const left = lone ? cuts.slice(1) : cuts;
  const abroad = left.find((one) => one.startsWith("+") && possible(one, undefined));
  for (const one of abroad === undefined ? left : [abroad]) {
    if (unbalanced(one)) continue;
    const score = scoreOf(context, start, one);
    if (score > 0) return { size: one.length, score };
  }
  return { size: 0, score: 0 };
}

const unbalanced = (value: string): boolean => value.includes("(") !== value.includes(")");

const hasForm = (value: string): boolean =>
  CHINESE_MOBILE.test(value) ||
  NORTH_AMERICAN.test(value) ||
  CHINESE_LANDLINE.test(value) ||
  FRENCH.test(value) ||
  RUSSIAN.test(value) ||
  BRACKETED.test(value) ||
  FICTION.test(value);

function scoreOf(context: Context, start: number, value: string): number {
  const digits = value.replace(/\D/g, "");
  const before = context.before(start);
  const after = context.text.slice(start + value.length, start + value.length + 16);
  if ((PAIRS.test(value) || /^[2-9]\d{6}$/.test(value)) && CALLS.test(before)) return LOWEST;
  if (digits.length < 7 || digits.length > 15 || DATE.test(value) || /^(\d)\1+$/.test(digits)) return 0;
  if (OTHER.test(before) || COUNTED.test(after) || RESULT.test(after)) return 0;
  const named = context.named(start, start + value.length, WORDS);
  if (/^(?:\+|00[1-9])/.test(value)) {
    if (possible(value.replace(/^00/, "+"), undefined)) return 0.95;
    return named ? 0.77 : 0;
  }
  if (QUAD.test(value) || ROUND.test(value) || SUMS.test(before) || isLabelledOtherwise(before)) return 0;
  if (CHINESE_MOBILE.test(value)) return named || value.includes("86") ? 0.95 : 0.82;
  if (NORTH_AMERICAN.test(value)) return named ? 0.95 : 0.85;
  if (CHINESE_LANDLINE.test(value)) return named ? 0.9 : 0.8;
  if (FRENCH.test(value) || RUSSIAN.test(value)) return named ? 0.9 : 0.77;
  if (BRACKETED.test(value)) return named ? 0.9 : LOWEST;
  // Unnamed it is a part's or a room's number just as often, and nobody's telephone: below what policies ask for.
  if (FICTION.test(value)) return named ? 0.9 : 0.6;
  const short = digits.length < 10 && /^[1-9]/.test(value);
  // Eight digits in one are as much a date, an order or a licence.
  const written = digits.length > 8 || value.startsWith("0") || digits !== value;
  const nation = written ? nationality(context, start, value, short) : undefined;
  if (nation === "valid") return 0.8;
  // Numbers that are made up for a text are of no plan, but begin as numbers do.
  if (nation === "cued" && /^\(?0[1-9]/.test(value) && digits.length > 8) return LOWEST;
  if (!named || (short && !DIRECT.test(before) && !OWN.test(after))) return 0;
  if (/^[01]?[2-9]/.test(digits) && possible(value, "US")) return 0.8;
  return /[ ().-]/.test(value) || value.startsWith("0") ? LOWEST : 0;
}
