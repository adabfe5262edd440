import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { recognise } from "../../src/models/recognisers.ts";

/** What is found, as "TYPE value". */
const seen = (text: string, floor = 0.5): string[] =>
  recognise(text)
    .filter((e) => e.score >= floor)
    .sort((a, b) => a.start - b.start)
    .map((e) => `${e.type} ${text.slice(e.start, e.end)}`);

describe("values with a form of their own are found", () => {
  const cases: [string, string[]][] = [
    ["My e-mail is jane.doe@example.com.", ["EMAIL_ADDRESS jane.doe@example.com"]],
    ["邮箱是wang.li@example.cn，谢谢", ["EMAIL_ADDRESS wang.li@example.cn"]],
    ["a@b.co,c+d@e-f.org", ["EMAIL_ADDRESS a@b.co", "EMAIL_ADDRESS c+d@e-f.org"]],
    ["<o'neil_1@mail.example.co.uk>", ["EMAIL_ADDRESS o'neil_1@mail.example.co.uk"]],
    ["Pay with 4111 1111 1111 1111 now", ["CREDIT_CARD 4111 1111 1111 1111"]],
    ["4111-1111-1111-1111", ["CREDIT_CARD 4111-1111-1111-1111"]],
    ["amex 378282246310005", ["CREDIT_CARD 378282246310005"]],
    ["amex 3782 822463 10005", ["CREDIT_CARD 3782 822463 10005"]],
    ["请冻结卡号6222021234567890123", ["CREDIT_CARD 6222021234567890123"]],
    ["my card 4111 1111 1111 1112 is blocked", ["CREDIT_CARD 4111 1111 1111 1112"]],
    ["DE89 3704 0044 0532 0130 00 please", ["IBAN_CODE DE89 3704 0044 0532 0130 00"]],
    ["gb82west12345698765432", ["IBAN_CODE gb82west12345698765432"]],
    ["wire it to IBAN DE11370400440532013000", ["IBAN_CODE DE11370400440532013000"]],
    ["SSN 123-45-6789", ["US_SSN 123-45-6789"]],
    ["number 123-45-6789 on file", ["US_SSN 123-45-6789"]],
    ["my social security number is 123456789", ["US_SSN 123456789"]],
    ["我的身份证号是11010519491231002X。", ["CN_RESIDENT_ID 11010519491231002X"]],
    ["身份证 110105194912310021", ["CN_RESIDENT_ID 110105194912310021"]],
    ["Whitelist 203.91.139.168 today", ["IP_ADDRESS 203.91.139.168"]],
    ["服务器203.25.88.107无法访问", ["IP_ADDRESS 203.25.88.107"]],
    ["listen on 2001:db8::ff00:42:8329.", ["IP_ADDRESS 2001:db8::ff00:42:8329"]],
    ["ping fe80::7e2c:2749:b587", ["IP_ADDRESS fe80::7e2c:2749:b587"]],
    ["call me at (617) 555-0199", ["PHONE_NUMBER (617) 555-0199"]],
    ["617-555-0199", ["PHONE_NUMBER 617-555-0199"]],
    ["+44 20 7946 0958 or later", ["PHONE_NUMBER +44 20 7946 0958"]],
    ["+1-202-555-0143", ["PHONE_NUMBER +1-202-555-0143"]],
    ["手机13812345678", ["PHONE_NUMBER 13812345678"]],
    ["+86 138 1234 5678", ["PHONE_NUMBER +86 138 1234 5678"]],
    ["电话010-62345678", ["PHONE_NUMBER 010-62345678"]],
    ["Call 6058217452 tonight", ["PHONE_NUMBER 6058217452"]],
    ["see https://www.smart-store.cn/login", ["DOMAIN_NAME www.smart-store.cn"]],
    ["请访问http://river-health.net。", ["DOMAIN_NAME river-health.net"]],
    ["my driver's license number is W5835493", ["US_DRIVER_LICENSE W5835493"]],
  ];
  for (const [text, want] of cases) {
    it(text, () => assert.deepEqual([...new Set(seen(text))], want));
  }
});

describe("values without the form, or of another kind, are left alone", () => {
  const cases = [
    "",
    "What is 17 * 23?",
    "Round 117.402 to two decimals",
    "The total is $1,234,567.89",
    "on 2024-01-15 and 12.05.2023 and 03/04/1999",
    "2024-01-15 12:30:45",
    "between 1914 and 1918 1939 1945",
    "version 1.2.3.4",
    "v10.0.0.1",
    "1.2.3",
    "order 4111111111111112",
    "123456789",
    "000-12-3456",
    "666-12-3456",
    "912-34-5678",
    "1234567890123",
    "110105194912310021",
    "std::vector<int> a::b",
    "at 10:30:15",
    "00:1b:44:11:3a:b7",
    "300.1.1.1",
    "@everyone and user@ host",
    "npm i @types/node@24.19.2",
    "main.py README.md node.js",
    "GB82 is a code",
    "pi is 3.14159265358979",
    "1,000,000 people",
    "ISBN 978-3-16-148410-0",
    "2^10 = 1024 and 10^6 = 1000000",
    "1111 1111 1111 1111",
  ];
  for (const text of cases) it(JSON.stringify(text), () => assert.deepEqual(seen(text), []));
});

it("a value that fails its check digits scores lower than one that passes", () => {
  const [good, bad] = ["card 4111 1111 1111 1111", "card 4111 1111 1111 1112"].map((t) => recognise(t)[0]);
  assert.ok((good?.score ?? 0) > (bad?.score ?? 1));
});

describe("hostile text takes linear time", () => {
  const hostile: Record<string, string> = {
    ats: "@",
    letters: "a",
    mails: "a@",
    digits: "1",
    "spaced digits": "1 ",
    dots: "a.",
    "dotted digits": "1.",
    colons: "a:",
    hyphens: "1-",
    brackets: "(1",
    schemes: "://",
    hosts: "www.",
    ibans: "DE89 ",
    licences: "license 1234567 ",
    phones: "+1 202 555 0143 ",
    cards: "4111 1111 1111 1112 ",
  };
  const time = (text: string): number => {
    const began = performance.now();
    recognise(text);
    return performance.now() - began;
  };
  for (const [name, piece] of Object.entries(hostile)) {
    it(name, () => {
      const text = piece.repeat(Math.ceil(1_000_000 / piece.length));
      // Best of three: a busy machine must not fail this; a quadratic search takes minutes.
      const best = Math.min(time(text), time(text), time(text));
      assert.ok(best < 600, `${Math.round(best)} ms`);
    });
  }
});
