import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hidden } from "../../src/models/disguise/hidden.ts";
import { Joined } from "../../src/models/sections.ts";

const SAID = "Please tell me about the old house and all that is in it";
const MORE = `${SAID}, and about the people who lived there before the war`;
const BYTES = Buffer.from(SAID);
const HEX = BYTES.toString("hex");
const BASE64 = BYTES.toString("base64");
const BARE = Buffer.from(`${SAID}!!!`).toString("base64").replace(/=/g, "");
const base64 = (...parts: (string | number[])[]): string =>
  Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part))),
  ).toString("base64");
const pieces = (text: string, size: number, between: string): string =>
  (text.match(new RegExp(`.{1,${size}}`, "gs")) ?? []).join(between);
const each = (form: (byte: number) => string, between: string): string => [...BYTES].map(form).join(between);
const binary = (byte: number): string => byte.toString(2).padStart(8, "0");

const finds = (text: string, want = SAID): void => {
  const found = hidden(text);
  assert.ok(
    found.some((one) => one.text.includes(want)),
    JSON.stringify(found),
  );
};

describe("beside other words", () => {
  const cases: [string, string][] = [
    ["hex after a word of hex letters", `decode ${HEX}`],
    ["of three such letters", `add ${HEX}`],
    ["hex before one", `${HEX} be quick`],
    ["hex in groups after one", `decode ${pieces(HEX, 2, " ")}`],
    ["hex after a hyphen", `decode-${HEX}`],
    ["hex after an odd digit", `x: f${HEX}`],
    ["hex right after a letter", `x${HEX}`],
    ["base64 without padding before a line", `Here:\n${BARE}\nDecode it and answer.`],
    ["base64 right after a letter", `x${BASE64}`],
    ["base64 right after a word", `decodethis${BASE64}`],
    ["base64 in a path", `/api/${BASE64}/x`],
    ["base64 between underscores", `x_${BASE64}_y`],
  ];
  for (const [name, text] of cases) it(name, () => finds(text));
  it("a path is no part of what stands in it", () => {
    assert.equal(hidden(`/api/${BASE64}/x`)[0]?.text, SAID);
  });
});

describe("bytes that are no text", () => {
  const noise = Array.from({ length: 400 }, (_, i) => 128 + ((i * 89) % 128));
  const cases: [string, string][] = [
    ["one at the end", base64(SAID, [0xff])],
    ["quotes of Latin-1", base64([0x93], SAID, [0x94])],
    ["zeros", base64(SAID, [0, 0, 0])],
    ["a control first", base64([1], SAID)],
    ["many before and after", base64(noise, SAID, noise)],
    ["in hex", `${HEX}ff`],
    ["many in hex", `${Buffer.from(noise).toString("hex")}${HEX}${Buffer.from(noise).toString("hex")}`],
  ];
  for (const [name, text] of cases) it(name, () => finds(text));
  it("one among every two letters", () => {
    const parts = SAID.match(/.{1,2}/g)?.flatMap((part) => [part, [0xff]]) ?? [];
    finds(base64(...parts));
  });
  it("UTF-16 with the high byte first", () => {
    finds(Buffer.from(SAID, "utf16le").swap16().toString("base64"));
  });
  it("UTF-16 of what is no sentence", () => {
    const said = [..."please tell me"].join("-");
    finds(Buffer.from(said, "utf16le").toString("base64"), said);
  });
  it("JSON around it", () => finds(base64(JSON.stringify({ a: SAID, b: "{}[]{}[]{}[]", c: [1, 2, 3] }))));
  it("the middle part of a token of JSON", () => {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    finds(
      `${part({ alg: "HS256" })}.${part({ sub: 1, q: SAID, iat: 15162390 })}.SflKxwRJSMeKKF2QT4fwpMeJf36`,
    );
  });
  it("letters with hyphens between", () => {
    finds(base64([..."please tell me"].join("-").replace(/- -/g, " ")), "please tell me");
  });
});

describe("in pieces", () => {
  const long = Buffer.from(MORE).toString("base64");
  const cases: [string, string][] = [
    ["lines of twenty", pieces(BASE64, 20, "\n")],
    ["quoted lines", `> ${pieces(BASE64, 24, "\n> ")}`],
    ["indented lines", `    ${pieces(BASE64, 24, "\n    ")}`],
    ["strings that are added", `"${pieces(BASE64, 30, '" + "')}"`],
    ["strings on lines", `"${pieces(BASE64, 22, '"\n"')}"`],
    ["groups of four", pieces(BASE64, 4, " ")],
    ["groups of eight", pieces(BASE64, 8, " ")],
    ["single letters", pieces(BASE64, 1, ".")],
    ["hex, commas", pieces(HEX, 2, ", ")],
    ["hex, bars", pieces(HEX, 2, "|")],
    ["hex, underscores", pieces(HEX, 2, "_")],
    ["hex, a byte a line", pieces(HEX, 2, "\n")],
    ["hex, quotes", pieces(HEX, 2, '","')],
    ["hex, groups of four", pieces(HEX, 4, " ")],
    ["hex, lines", pieces(HEX, 32, "\n> ")],
    ["binary with its sign", each((byte) => `0b${binary(byte)}`, " ")],
    ["binary, commas", each(binary, ", ")],
    ["binary, half bytes", each((byte) => `${binary(byte).slice(0, 4)} ${binary(byte).slice(4)}`, " ")],
    ["binary of seven digits", each((byte) => binary(byte).slice(1), " ")],
    ["codes, bars", each(String, "|")],
    ["codes, lines", each(String, "\n")],
    ["codes in calls", each((byte) => `chr(${byte})`, "+")],
    ["octal codes", each((byte) => byte.toString(8), " ")],
  ];
  for (const [name, text] of cases) it(name, () => finds(`Look: ${text} .`));
  it("words by themselves", () => {
    const words = "please tell everything about"
      .split(" ")
      .map((word) => Buffer.from(word).toString("base64"));
    finds(words.join(" "), "tell");
  });
  it("lines in a string of JSON", () => finds(JSON.stringify(pieces(long, 60, "\n")), MORE));
  it("long lines", () => finds(pieces(long, 60, "\r\n"), MORE));
});

it("base64 that is cut where a section ends", () => {
  const filler = "The weather was lovely and we walked along the river for hours. ".repeat(500);
  for (const before of ["", "x ", "xy ", "xyz "]) {
    const whole = new Joined([
      before + Buffer.from(`${filler}${SAID}. ${filler.slice(0, 300)}`).toString("base64"),
    ]);
    const found = [...whole.sections()].flatMap((section) => hidden(section.text));
    assert.ok(
      found.some((one) => one.text.includes(SAID)),
      before,
    );
  }
});
