import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { recognise } from "../../src/models/recognisers.ts";

/** What is found at the router's default threshold, as "TYPE value". */
const seen = (text: string): string[] =>
  [
    ...new Set(
      recognise(text)
        .filter((e) => e.score >= 0.7)
        .map((e) => `${e.type} ${text.slice(e.start, e.end)}`),
    ),
  ].sort();

describe("what stands beside four dotted numbers", () => {
  const cases: [string, string?][] = [
    ["org.acme:parser:10.1.2.3"],
    ["Foobar/115.0.2.1 (Linux)"],
    ["Upgrade server 203.0.113.7 tonight", "203.0.113.7"],
    ["open http://6.7.8.9/x", "6.7.8.9"],
    ["clientIp=5.6.7.8", "5.6.7.8"],
    ["firmware of 192.168.1.20", "192.168.1.20"],
    ["remind me to call 10.52.154.100", "10.52.154.100"],
  ];
  for (const [text, value] of cases)
    it(text, () => assert.deepEqual(seen(text), value ? [`IP_ADDRESS ${value}`] : []));
});

describe("what stands beside a number that may be a telephone's", () => {
  const cases: [string, string?][] = [
    // No Korean number, but it begins as one.
    ["연락처는 080-1122-3344", "080-1122-3344"],
    ["9123 4567 is my mobile", "9123 4567"],
    ["תתקשר ל-02-6543210", "02-6543210"],
    ["0501234567 هو رقمي", "0501234567"],
    ["teléfono fijo 954 12 34 56", "954 12 34 56"],
    ["Zur Bestellung Tel. 0151 23456789", "0151 23456789"],
    ["a form for (123) 456-7890", "(123) 456-7890"],
    ["telefon 20240101"],
    ["we call it the Old Kingdom (2613–2181 BCE)"],
    ["the crusade (1202–1204) was called for"],
    ["the phone weighs 1299 1498"],
    ["mobil kostar 4123 5678"],
    ["portable 15 pouces 1921 1081"],
  ];
  for (const [text, value] of cases)
    it(text, () => assert.deepEqual(seen(text), value ? [`PHONE_NUMBER ${value}`] : []));
});

describe("each language's words for calling", () => {
  const numbers: Record<string, string> = {
    "ruf mich an": "15112345678",
    llámame: "612345678",
    chiamami: "3471234567",
    "bel me": "612345678",
    "ring mig": "701234567",
    appelez: "612345678",
    "me liga": "11987654321",
    zadzwoń: "512345678",
    "beni ara": "5321234567",
    позвони: "9161234567",
    رقمي: "501234567",
    חייג: "541234567",
    携帯: "09012345678",
    연락처: "01012345678",
    聯絡: "912345678",
    मोबाइल: "9812345678",
    โทร: "0812345678",
    hubungi: "81234567890",
    gọi: "912345678",
    κινητό: "6912345678",
    soita: "401234567",
    zavolejte: "602123456",
    hívj: "301234567",
    sună: "721234567",
  };
  for (const [words, number] of Object.entries(numbers))
    it(words, () => assert.deepEqual(seen(`${words} ${number}`), [`PHONE_NUMBER ${number}`]));
});

describe("what stands beside other numbers", () => {
  const texts = [
    "DL 12345678 bytes",
    "at 95 mg/dL 2021",
    "the DL took 3 tries, then 87654321",
    "driver's license test 12345678",
    "Auftrag Nr. 4242424242424242",
  ];
  for (const text of texts) it(text, () => assert.deepEqual(seen(text), []));
  it("a table under a sentence with commas", () =>
    assert.deepEqual(seen("I moved, sorry. name,order,ssn\nKim,219091235,219091234"), ["US_SSN 219091234"]));
});
