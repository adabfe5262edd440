import type { Entity } from "./encode.ts";
import { addresses, domains, emails } from "./recognise-network.ts";
import { cards, ibans, licences, residents, socialSecurity } from "./recognise-numbers.ts";
import { phones } from "./recognise-phone.ts";

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
] as const;

const DIGIT = /\d/;
const LONG_NUMBER = /\d(?:[^\d]{0,3}\d){6}/;

/**
 * Personal data with a form of its own: check digits, issued ranges, grammar. Spans may overlap.
 * Time is linear in the text, whatever it holds.
 */
export function recognise(text: string): Entity[] {
  const out: Entity[] = [];
  if (text.includes("@")) out.push(...emails(text));
  if (text.includes(".") || text.includes("://")) out.push(...domains(text));
  if (!DIGIT.test(text) && !text.includes(":")) return out;
  if (text.includes(".") || text.includes(":")) out.push(...addresses(text));
  if (!LONG_NUMBER.test(text)) return out;
  for (const search of [cards, ibans, socialSecurity, residents, licences, phones]) out.push(...search(text));
  return out;
}
