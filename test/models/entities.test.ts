import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Entity } from "../../src/models/encode.ts";
import { mergeEntities } from "../../src/models/entities.ts";

const entity = (by: Entity["by"], type: string, start: number, end: number, score: number): Entity => ({
  type,
  start,
  end,
  score,
  by,
});
const checked = (type: string, start: number, end: number, score: number) =>
  entity("recogniser", type, start, end, score);
const guessed = (type: string, start: number, end: number, score: number) =>
  entity("model", type, start, end, score);
const seen = (entities: readonly Entity[]): string[] => entities.map((e) => `${e.type} ${e.start}-${e.end}`);

describe("of entities that overlap one stays", () => {
  const cases: [string, Entity[], Entity[], string[]][] = [
    [
      "a recogniser's before a surer guess",
      [checked("IBAN_CODE", 5, 20, 0.6)],
      [guessed("ORGANIZATION", 0, 9, 0.99)],
      ["IBAN_CODE 5-20"],
    ],
    [
      "the higher score",
      [checked("PHONE_NUMBER", 0, 12, 0.7), checked("US_SSN", 2, 11, 0.9)],
      [],
      ["US_SSN 2-11"],
    ],
    [
      "the longer one of equal score",
      [checked("IP_ADDRESS", 0, 8, 0.9), checked("IP_ADDRESS", 0, 12, 0.9)],
      [],
      ["IP_ADDRESS 0-12"],
    ],
    ["the surer guess", [], [guessed("GPE", 0, 6, 0.5), guessed("PERSON", 3, 9, 0.8)], ["PERSON 3-9"]],
    [
      "the address around a postal code",
      [checked("ZIP_CODE", 20, 25, 0.9)],
      [guessed("STREET_ADDRESS", 0, 25, 0.8)],
      ["STREET_ADDRESS 0-25"],
    ],
    [
      "the postal code beside a street",
      [checked("ZIP_CODE", 20, 25, 0.9)],
      [guessed("STREET_ADDRESS", 0, 18, 0.8)],
      ["STREET_ADDRESS 0-18", "ZIP_CODE 20-25"],
    ],
    [
      "the company that is called like its domain",
      [checked("DOMAIN_NAME", 0, 10, 0.75)],
      [guessed("ORGANIZATION", 0, 15, 0.7)],
      ["ORGANIZATION 0-15"],
    ],
    [
      "the address of a page within a company's name",
      [checked("DOMAIN_NAME", 0, 10, 0.9)],
      [guessed("ORGANIZATION", 0, 15, 0.7)],
      ["DOMAIN_NAME 0-10"],
    ],
  ];
  for (const [name, recognised, decoded, want] of cases) {
    it(name, () => assert.deepEqual(seen(mergeEntities(recognised, decoded)), want));
  }
});

it("what does not overlap stays, in text order", () => {
  const merged = mergeEntities(
    [checked("US_SSN", 30, 41, 1)],
    [guessed("GPE", 50, 56, 0.4), guessed("PERSON", 0, 9, 0.9)],
  );
  assert.deepEqual(seen(merged), ["PERSON 0-9", "US_SSN 30-41", "GPE 50-56"]);
});
