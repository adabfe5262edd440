import { IBAN_LENGTHS, luhn, mod97, residentId } from "./checks.ts";
import type { Entity } from "./encode.ts";
import { type Context, datePrefix, found } from "./recognise-context.ts";

/** Score of a value whose check digits hold. */
export const CERTAIN = 1;
/** Score of a value with the form, failing its check digits, that its context names. */
export const NAMED_ONLY = 0.75;

const CARD = /(?<![A-Za-z0-9_])(?<!\d[.-]|[$€£¥])\d(?:(?: - |[ .-])?\d){11,18}(?!\w|[.-]\d)/g;
const GROUPS = /^(?:\d+|\d{4}( - |[ .-])\d{4}\1\d{4}\1\d{1,7}(?:\1\d{1,3})?|\d{4}([ .-])\d{6}\2\d{4,5})$/;
// The usual groups, where more digits follow: an expiry date, a check value, the next card.
const LEADING =
  /^(?:\d{4}( - |[ .-])\d{4}\1\d{4}\1\d{4}(?!\d)|\d{4}([ .-])\d{6}\2\d{4,5}(?!\d)|\d{13,19}(?!\d))/;
const ISSUERS: readonly [RegExp, readonly number[]][] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^220[0-4]/, [16, 17, 18, 19]],
  [/^3[47]/, [15]],
  [/^(?:30[0-5]|309|3[689])/, [14, 16, 19]],
  [/^35/, [16, 17, 18, 19]],
  [/^(?:1800|2131)/, [15]],
  [/^(?:6|81|82|9792)/, [16, 17, 18, 19]],
  [/^(?:50|5[6-9])/, [13, 14, 15, 16, 17, 18, 19]],
];
const CARD_WORDS =
  /card|\bvisa\b|master\s?card|\bamex\b|american express|\bdiscover\b|\bdiners\b|\bjcb\b|maestro|unionpay|credit|debit|\bpan\b|\bcc\b|cc_?(?:num|no)|卡号|信用卡|银行卡|储蓄卡|借记卡|银联|刷卡|卡/i;
/** A label that says what else the number is. */
const NO_CARD =
  /(?:\bsim(?: card)?|iccid|imei|isbn|tracking|\border|invoice|serial|(?:trans|interact)action|\b(?:txn?|ref(?:erence)?|confirmation|booking|receipt|ticket|barcode|ean|upc|gtin|parcel|shipment|container|(?:case|batch|asset|device|session|request|trace|message|event)(?=[ _-]?(?:no\b|nr\b|num|code|id|#)))|bestell\p{L}*|auftrag\p{L}*|sendungs\p{L}*|rechnungs\p{L}*|commande|suivi|facture|pedido|seguimiento|factura|身份证|订单|单号|快递|交易号|流水号|条码|(?:identity|\bid|library|business|report|gift|student|score|insurance)\W{0,2}card)(?:[ _-]?(?:no\.?|nr\.?|n[°º]\.?|number|num|code|id|号码?|#))?[\s:#："'=是为]*(?:is )?$/iu;
const IBAN_HEAD = /(?:^|[^A-Za-z0-9])[A-Z]{2}\d{2}[ -]?(?:[A-Z0-9]{4}[ -])*$/i;

// Digits with anything else between: believed only where Luhn's check holds, the prefix is an issuer's, and the text names it.
const LOOSE = /(?<!\d)\d(?:[\s./_,-]{0,3}\d){12,40}/g;
const SIZES = [16, 15, 19, 14, 13, 18, 17];

/** Named cards whose digits stand in any groups, or right after a word. */
function looseCards(context: Context, taken: readonly Entity[]): Entity[] {
  const { text } = context;
  const out: Entity[] = [];
  let next = 0;
  for (const m of text.matchAll(LOOSE)) {
    while (next < taken.length && (taken[next] as Entity).end <= m.index) next += 1;
    if ((taken[next]?.start ?? text.length) < m.index + m[0].length) continue;
    if (NO_CARD.test(context.before(m.index))) continue;
    const places = [...m[0].matchAll(/\d/g)].map((digit) => digit.index);
    const digits = m[0].replace(/\D/g, "");
    const size = SIZES.find((count) => {
      const last = places[count - 1];
      if (last === undefined || /\d/.test(m[0].charAt(last + 1)) || !luhn(digits.slice(0, count)))
        return false;
      const issued = ISSUERS.some(([prefix, sizes]) => prefix.test(digits) && sizes.includes(count));
      return issued && !/^(\d)\1+$/.test(digits.slice(0, count));
    });
    if (size === undefined) continue;
    const end = m.index + (places[size - 1] as number) + 1;
    if (!/\w/.test(text.charAt(end)) && context.named(m.index, end, CARD_WORDS)) {
      out.push(found("CREDIT_CARD", m.index, end, CERTAIN));
    }
  }
  return out;
}

/** Payment cards: Luhn's check and an issuer's prefix and length, or any of them that is named. */
export function cards(context: Context): Entity[] {
  const { text } = context;
  const out: Entity[] = [];
  CARD.lastIndex = 0;
  for (let m = CARD.exec(text); m !== null; m = CARD.exec(text)) {
    const start = m.index;
    const date = datePrefix(m[0]);
    if (date > 0) {
      CARD.lastIndex = start + date;
      continue;
    }
    // A shorter value first: what follows it is then looked at by itself.
    const short = LEADING.exec(m[0])?.[0];
    const values = short && short !== m[0] ? [short, m[0]] : [m[0]];
    const scores = values.map((value) => cardScore(context, value, start));
    // Of two readings the one whose check holds; UnionPay's 19 digits are no 16 and a check value.
    const long = (scores[1] ?? 0) > (scores[0] ?? 0) || (scores[1] === scores[0] && m[0].startsWith("62"));
    const pick = values.length === 2 && long ? 1 : 0;
    const size = (values[pick] as string).length;
    if (scores[pick]) out.push(found("CREDIT_CARD", start, start + size, scores[pick]));
    CARD.lastIndex = start + (scores[pick] ? size : (short ?? m[0]).length);
  }
  return CARD_WORDS.test(text) ? [...out, ...looseCards(context, out)] : out;
}

function cardScore(context: Context, value: string, start: number): number {
  const digits = value.replace(/\D/g, "");
  const end = start + value.length;
  if (digits.length < 12 || /^(\d)\1+$/.test(digits) || !GROUPS.test(value)) return 0;
  if (IBAN_HEAD.test(context.text.slice(Math.max(0, start - 30), start))) return 0;
  const issued = ISSUERS.some(([prefix, sizes]) => prefix.test(digits) && sizes.includes(digits.length));
  const named = context.named(start, end, CARD_WORDS) && !NO_CARD.test(context.before(start));
  if (luhn(digits)) {
    if (digits.length === 18 && residentId(digits) && !named) return 0;
    return named || (issued && !NO_CARD.test(context.before(start))) ? CERTAIN : 0;
  }
  return named && (issued || digits.length === 16) ? NAMED_ONLY : 0;
}

const IBAN_START =
  /(?:(?<![A-Za-z0-9])|(?<=\biban))(?:[A-Za-z]{2}\d{2}|[A-Z]{2} \d{2})(?=[ .-]?[A-Za-z0-9])/gi;
const IBAN_WORDS =
  /iban|account|acct|bank|transfer|wire|sepa|swift|\bbic\b|payee|beneficiary|remit|账号|账户|帐号|帐户|汇|转账|收款|打款|付款/i;
/** A list of accounts is named once. */
const SAME_LIST = 12;

/** IBANs of the countries that have them, in their country's length. */
export function ibans(context: Context): Entity[] {
  const { text } = context;
  const out: Entity[] = [];
  for (const m of text.matchAll(IBAN_START)) {
    const size = IBAN_LENGTHS.get(m[0].slice(0, 2).toUpperCase());
    if (size === undefined) continue;
    let compact = "";
    let i = m.index;
    // The country fixes the length, so a word that follows the number is never drawn in.
    while (compact.length < size && i < text.length && i < m.index + 60) {
      const c = text.charAt(i);
      if (/[A-Za-z0-9]/.test(c)) compact += c.toUpperCase();
      else if (!/[ .\r\n-]/.test(c) || !/[A-Za-z0-9]/.test(text.slice(Math.max(0, i - 2), i))) break;
      i += 1;
    }
    if (compact.length !== size || /[A-Za-z0-9]/.test(text.charAt(i))) continue;
    const last = out.at(-1);
    const listed = last !== undefined && m.index - last.end <= SAME_LIST;
    if (mod97(compact)) out.push(found("IBAN_CODE", m.index, i, CERTAIN));
    else if (/\d{6}/.test(compact) && (listed || context.named(m.index, i, IBAN_WORDS))) {
      out.push(found("IBAN_CODE", m.index, i, NAMED_ONLY));
    }
  }
  return out;
}
