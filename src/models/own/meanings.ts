import type { Labels } from "./labels.ts";
import { Misfit } from "./tokenizer/part.ts";

// What the labels of guards and of token classifiers mean. Makers name the same thing in many ways.

/** Labels that mean a jailbreak attempt. */
export const ATTACKS: readonly string[] = [
  "jailbreak",
  "injection",
  "prompt_injection",
  "indirect_injection",
  "attack",
  "malicious",
  "unsafe",
];

/** Which labels mean a jailbreak attempt. A guard of two labels without names has it second. */
export function jailbreakIndices({ names, path }: Labels): number[] {
  const plain = names.map((name) =>
    name
      .trim()
      .toLowerCase()
      .replace(/[\s-]+/g, "_"),
  );
  const found = plain.flatMap((name, i) => (ATTACKS.includes(name) ? [i] : []));
  const nameless = plain.length === 2 && /^(label_)?1$/.test(plain[1]!) && /^(label_)?0$/.test(plain[0]!);
  const attacks = found.length === 0 && nameless ? [1] : found;
  if (attacks.length === 0 || attacks.length === names.length) {
    const what = attacks.length === 0 ? "none" : "every one";
    const listed = names.map((name) => `"${name}"`).join(", ");
    throw new Misfit(
      `${path}: ${what} of the labels ${listed} means a jailbreak; call it "jailbreak" in a file at prompt_guard.jailbreak_mapping_path`,
    );
  }
  return attacks;
}

/** What a token classifier's output says of a token. */
export interface Tag {
  /** Place among the types, -1: outside of any. */
  readonly type: number;
  /** Whether it begins a span. */
  readonly begins: boolean;
}

/** Types of personal data that a model finds, and what each of its outputs means. */
export interface Tags {
  readonly types: readonly string[];
  readonly tags: readonly Tag[];
}

/** Other makers' names, without case and separators, to those of `pii_policy.pii_types_allowed`. */
export const TYPES: Readonly<Record<string, string>> = {
  PER: "PERSON",
  NAME: "PERSON",
  ORG: "ORGANIZATION",
  ORGANISATION: "ORGANIZATION",
  LOC: "GPE",
  LOCATION: "GPE",
  EMAIL: "EMAIL_ADDRESS",
  PHONE: "PHONE_NUMBER",
  TELEPHONE: "PHONE_NUMBER",
  TELEPHONENUM: "PHONE_NUMBER",
  SSN: "US_SSN",
  SOCIALNUM: "US_SSN",
  CREDITCARD: "CREDIT_CARD",
  CREDITCARDNUMBER: "CREDIT_CARD",
  IBAN: "IBAN_CODE",
  IP: "IP_ADDRESS",
  IPV4: "IP_ADDRESS",
  IPV6: "IP_ADDRESS",
  ADDRESS: "STREET_ADDRESS",
  STREET: "STREET_ADDRESS",
  ZIP: "ZIP_CODE",
  POSTCODE: "ZIP_CODE",
  DATE: "DATE_TIME",
  TIME: "DATE_TIME",
  DOMAIN: "DOMAIN_NAME",
  DRIVERLICENSE: "US_DRIVER_LICENSE",
};

/** Reads `O`, `B-x` and `I-x`, also the tags of BIOES and BILOU, and types without a prefix. */
export function readTags({ names, path }: Labels): Tags {
  const types: string[] = [];
  const tags = names.map((name): Tag => {
    const label = name.trim().toUpperCase();
    if (label === "O" || label === "NO_PII") return { type: -1, begins: false };
    const [, prefix, own] = /^(?:([BIESLU])[-_])?(.+)$/.exec(label) ?? ["", undefined, label];
    const type = TYPES[own!.replace(/[^A-Z0-9]/g, "")] ?? own!.replace(/[\s-]+/g, "_");
    if (!types.includes(type)) types.push(type);
    return { type: types.indexOf(type), begins: prefix === "B" || prefix === "S" || prefix === "U" };
  });
  if (tags.every(({ type }) => type !== -1) || types.length === 0) {
    const what =
      types.length === 0 ? "no label names a type" : 'no label is "O", for what is no personal data';
    throw new Misfit(
      `${path}: ${what}; give classifier.pii_model.pii_mapping_path the labels of a token classifier`,
    );
  }
  return { types, tags };
}
