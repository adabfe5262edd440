import type { Entity } from "./encode.ts";
import { cards, ibans } from "./recognise-cards.ts";
import { Context } from "./recognise-context.ts";
import { domains } from "./recognise-domains.ts";
import { licences, residents, socialSecurity } from "./recognise-identity.ts";
import { addresses } from "./recognise-ip.ts";
import { emails } from "./recognise-mail.ts";
import { withoutNoise } from "./recognise-noise.ts";
import { phones } from "./recognise-phone.ts";
import { postalCodes } from "./recognise-postal.ts";

/** The types that `recognise` can find. */
export const RECOGNISED = [
  "EMAIL_ADDRESS",
  "CREDIT_CARD",
  "IBAN_CODE",
  "US_SSN",
  "CN_RESIDENT_ID",
  "IP_ADDRESS",
  "PHONE_NUMBER",
  "DOMAIN_NAME",
  "US_DRIVER_LICENSE",
  "ZIP_CODE",
] as const;

const DIGIT = /\d/;
const LONG_NUMBER = /\d(?:[^\d]{0,3}\d){5}/;

/**
 * Personal data with a form of its own: check digits, issued ranges, grammar. Spans may overlap.
 * A value that fails its check digits scores 0.75, and only where its context names it.
 * Time is linear in the text, whatever it holds.
 */
export function recognise(original: string): Entity[] {
  const plain = search(original);
  // The model does not see these characters, so what it reads as one value is looked for as one.
  const { text, at } = withoutNoise(original);
  if (!at) return plain;
  const known = new Set(plain.map(({ type, start, end }) => `${type} ${start} ${end}`));
  const joined = search(text).map((one) => ({
    ...one,
    start: at[one.start] as number,
    end: at[one.end] as number,
  }));
  return [...plain, ...joined.filter(({ type, start, end }) => !known.has(`${type} ${start} ${end}`))];
}

function search(original: string): Entity[] {
  const context = new Context(original);
  const { text } = context;
  const found: Entity[][] = [];
  if (/@|%40|\bat\b/i.test(text)) found.push(emails(context));
  if (text.includes(".")) found.push(domains(context));
  if (text.includes(".") || text.includes(":")) found.push(addresses(context));
  if (DIGIT.test(text)) {
    found.push(postalCodes(context), licences(context));
    if (LONG_NUMBER.test(text)) {
      for (const find of [cards, ibans, socialSecurity, residents, phones]) found.push(find(context));
    }
  }
  return outermost(found.flat());
}

const LONG: ReadonlySet<string> = new Set(["IBAN_CODE", "CREDIT_CARD", "CN_RESIDENT_ID", "EMAIL_ADDRESS"]);

/** Without what is only a part of a longer number or address. */
function outermost(found: Entity[]): Entity[] {
  const long = found.filter((entity) => LONG.has(entity.type)).sort((a, b) => a.start - b.start);
  if (long.length === 0) return found;
  return found.filter((entity) => {
    const over = long[lastFrom(long, entity.start)];
    const size = entity.end - entity.start;
    return over === undefined || entity.end > over.end || size >= over.end - over.start;
  });
}

// The last of `sorted` that begins at `start` or before, else -1.
function lastFrom(sorted: readonly Entity[], start: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as Entity).start <= start) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
