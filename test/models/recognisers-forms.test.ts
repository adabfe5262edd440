import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { recognise } from "../../src/models/recognisers.ts";

/** What is found, as "TYPE value"; of the same place the longest. */
const seen = (text: string): string[] =>
  [...new Set(recognise(text).map((e) => `${e.type} ${text.slice(e.start, e.end)}`))].sort();

describe("every way of writing the same value", () => {
  const values: [string, string, string[]][] = [
    [
      "CREDIT_CARD",
      "card $",
      [
        "4111  1111  1111  1111",
        "4111\n1111\n1111\n1111",
        "4111/1111/1111/1111",
        "4111_1111_1111_1111",
        "4111, 1111, 1111, 1111",
        "41 11 11 11 11 11 11 11",
        "411111 1111111111",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1",
      ],
    ],
    ["CREDIT_CARD", "card$", ["4111111111111111"]],
    [
      "IBAN_CODE",
      "$",
      [
        "DE89 3704\n0044 0532\n0130 00",
        "DE 89 3704 0044 0532 0130 00",
        "BI42 10000 10001 00003320451 81",
        "RU0304452522540817810538091310419",
        "NI45BAPR00000013000003558124",
        "DJ2100010000000154000100186",
        "SO211000001001000100141",
        "MN121234123456789123",
        "OM810180000001299123456",
        "FK88SC123456789012",
      ],
    ],
    ["IBAN_CODE", "IBAN$", ["DE89370400440532013000"]],
    ["US_SSN", "SSN $", ["123 - 45 - 6789", "123-45-6789"]],
    ["US_SSN", "SS# $", ["123456789"]],
    ["US_SSN", "soc. sec. no. $", ["123456789"]],
    ["US_SSN", "SSN$", ["123456789"]],
    ["CN_RESIDENT_ID", "身份证：$", ["1101 0519 4912 3100 2X", "110105_19491231_002X"]],
    ["CN_RESIDENT_ID", "ID$", ["11010519491231002X"]],
    ["US_DRIVER_LICENSE", "driver's license $", ["123 456 789"]],
    ["IP_ADDRESS", "addr:$", ["2001:db8::1"]],
    ["IP_ADDRESS", "host $", ["fe80::1%eth0", "::ffff:192.0.2.128"]],
    [
      "PHONE_NUMBER",
      "手机 $",
      ["1 3 8 1 2 3 4 5 6 7 8", "1-3-8-1-2-3-4-5-6-7-8", "①③⑧①②③④⑤⑥⑦⑧", "❶❸❽⓪❷❸❹❺❻❼❽"],
    ],
    [
      "PHONE_NUMBER",
      "手机$",
      ["一三八 一二三四 五六七八", "幺三八幺二三四五六七八", "壹叁捌壹贰叁肆伍陆柒捌", "¹³⁸¹²³⁴⁵⁶⁷⁸"],
    ],
    ["PHONE_NUMBER", "電話 $", ["03-1234-5678"]],
    ["PHONE_NUMBER", "手機 $", ["0912345678"]],
    ["PHONE_NUMBER", "phone: $", ["4 1 5 5 5 5 2 6 7 1"]],
    ["PHONE_NUMBER", "Tel: $", ["089 / 123 456-78", "030/12345678"]],
    ["PHONE_NUMBER", "$", ["+49 (0) 30 / 901820", "06.12.34.56.78"]],
    ["PHONE_NUMBER", "тел. $", ["8 (495) 123-45-67"]],
    [
      "EMAIL_ADDRESS",
      "write to $",
      [
        "müller@exämple.de",
        "иван@почта.рф",
        '"john doe"@example.com',
        "john [at] example [dot] com",
        "john(at)example.com",
        "john at example dot com",
      ],
    ],
    ["EMAIL_ADDRESS", "邮箱 $", ["用户@例子.中国"]],
    ["DOMAIN_NAME", "visit $", ["müller.de", "example.中国", "river-works.io", "crates.io"]],
    ["DOMAIN_NAME", "$", ["http://例子.测试/path", "https://пример.рф", "t.sina.com.cn", "bbc.co.uk"]],
  ];
  for (const [type, around, forms] of values) {
    for (const form of forms) {
      const text = around.replace("$", form);
      it(text, () => assert.deepEqual(seen(text), [`${type} ${form}`]));
    }
  }
});

describe("between the digits, what the model does not read", () => {
  const signs = [
    "\0",
    "\x07",
    "\x7f",
    "\ue000",
    "\ufffd",
    "\u0301",
    "\u0336",
    "\ud800",
    "\u064b",
    "\u0e47",
    "\u3099",
    "\ufe0f\u20e3",
  ];
  for (const sign of signs) {
    it(JSON.stringify(sign), () => {
      const card = [..."4111111111111111"].join(sign);
      const mail = [..."ann@example.com"].join(sign);
      assert.ok(seen(`my card ${card} is new`).includes(`CREDIT_CARD ${card}`));
      assert.ok(seen(`mail ${mail} today`).includes(`EMAIL_ADDRESS ${mail}`));
    });
  }
  it("other scripts keep their marks", () => {
    assert.deepEqual(seen("ภาษาไทย นี่ 4111111111111111"), ["CREDIT_CARD 4111111111111111"]);
  });
});

it("what follows a number of a known form is no part of it", () => {
  assert.deepEqual(seen("06 12 34 56 78 12 rue"), ["PHONE_NUMBER 06 12 34 56 78"]);
});

describe("what only looks like one", () => {
  const texts = [
    "logger.info('saved');",
    'self.logger.info(f"x")',
    "df.info() np.info",
    "const { app } = electron.app",
    "org.apache.commons.io",
    "import torch.nn.io",
    "SELECT t.info FROM t",
    "text.fr = 'x'",
    "session.store.get(1)",
    "part no 123-45-6789",
    "ratio 1:2:3:4:5:6:7:8",
    "v=1.2.3.4",
    "3.5.2.1 is the version of the app",
    "sum 555-1234",
    "call sign 123 4567",
    "call function 1234567890 times",
    "you may call it 1234567890 times",
    "card 4111, 1111, 1111, 1112",
    "the cards 12 34 56 78 90 12 34 56",
    "ID110105194912310021",
    "look at it [1] dot it",
  ];
  for (const text of texts) it(text, () => assert.deepEqual(seen(text), []));
});

it("hostile text takes linear time", { timeout: 30_000 }, () => {
  const piece = [
    "4,1/",
    "card 4 1 ",
    "a\u0301",
    "1 / ",
    '"a"@',
    "a at b dot ",
    "a dot ",
    "telefon 0151 2345678 ",
    "version 1.2.3.4 ",
    "a.io ",
    "例.",
    "DE 89 ",
    "1_",
  ];
  for (const one of piece)
    assert.ok(Array.isArray(recognise(one.repeat(Math.ceil(200_000 / one.length)))), one);
});
