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
    ["see https://www.smart-store.cn/login", ["DOMAIN_NAME https://www.smart-store.cn/login"]],
    ["请访问http://river-health.net。", ["DOMAIN_NAME http://river-health.net"]],
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
  const pairs = [
    ["card 4111 1111 1111 1111", "card 4111 1111 1111 1112"],
    ["IBAN DE89370400440532013000", "IBAN DE11370400440532013000"],
    ["身份证 11010519491231002X", "身份证 110105194912310021"],
    ["SSN 219-09-1234", "SSN 900-09-1234"],
  ];
  for (const pair of pairs)
    assert.deepEqual(
      pair.map((text) => recognise(text)[0]?.score),
      [1, 0.75],
      pair[1],
    );
});

describe("conventions of writing", () => {
  const CARD = "CREDIT_CARD";
  const PHONE = "PHONE_NUMBER";
  const cases: [string, string[]][] = [
    ["卡号：４１１１　１１１１　１１１１　１１１１", [`${CARD} ４１１１　１１１１　１１１１　１１１１`]],
    ["٤١١١ ١١١١ ١١١١ ١١١١", [`${CARD} ٤١١١ ١١١١ ١١١١ ١١١١`]],
    ["4111–1111–1111–1111", [`${CARD} 4111–1111–1111–1111`]],
    ["4111.1111.1111.1111 exp 12/27", [`${CARD} 4111.1111.1111.1111`]],
    ["/pay?card=4111111111111111&cvv=123", [`${CARD} 4111111111111111`]],
    ['{"cardNumber":"5555-5555-5555-4444"}', [`${CARD} 5555-5555-5555-4444`]],
    ["CC: 5555 5555 5555 4444 123", [`${CARD} 5555 5555 5555 4444`]],
    ["信用卡号是 6222 0212 3456 7890 123", [`${CARD} 6222 0212 3456 7890 123`]],
    [
      "4111 1111 1111 1111 5555 5555 5555 4444",
      [`${CARD} 4111 1111 1111 1111`, `${CARD} 5555 5555 5555 4444`],
    ],
    ["4111111111111111,5555555555554444", [`${CARD} 4111111111111111`, `${CARD} 5555555555554444`]],
    ["my card is 213173282369527", [`${CARD} 213173282369527`]],
    ["GB29-NWBK-6016-1331-9268-19", ["IBAN_CODE GB29-NWBK-6016-1331-9268-19"]],
    [
      "ＤＥ８９３７０４００４４０５３２０１３０００",
      ["IBAN_CODE ＤＥ８９３７０４００４４０５３２０１３０００"],
    ],
    [
      "transfer from PL10 1050 0099 7603 1234 5678 9124 to BE10646741901613",
      ["IBAN_CODE PL10 1050 0099 7603 1234 5678 9124", "IBAN_CODE BE10646741901613"],
    ],
    ["wire it to IT58 5967 9123 4280 3125 3983 816", ["IBAN_CODE IT58 5967 9123 4280 3125 3983 816"]],
    ["My bank account is DE97 0706 8214 3611 9101 53 here", ["IBAN_CODE DE97 0706 8214 3611 9101 53"]],
    ["name,ssn\nBob,219091234\nAnn,220091234", ["US_SSN 219091234", "US_SSN 220091234"]],
    ["SSNs: 219-09-1234, 220-09-1234", ["US_SSN 219-09-1234", "US_SSN 220-09-1234"]],
    ["Bob,42,219-09-1234,220-09-1234", ["US_SSN 219-09-1234", "US_SSN 220-09-1234"]],
    ["2024-06-17 4111 1111 1111 1111", [`${CARD} 4111 1111 1111 1111`]],
    ["2024-06-17 617-555-0199", [`${PHONE} 617-555-0199`]],
    ["my account number is 4111111111111111", [`${CARD} 4111111111111111`]],
    ["SSN 900-12-3456", ["US_SSN 900-12-3456"]],
    ["Social Security # 219.09.1234", ["US_SSN 219.09.1234"]],
    ["身份证 110105 19491231 002X", ["CN_RESIDENT_ID 110105 19491231 002X"]],
    ["１１０１０５１９４９１２３１００２Ｘ", ["CN_RESIDENT_ID １１０１０５１９４９１２３１００２Ｘ"]],
    ["身份证110105491231002", ["CN_RESIDENT_ID 110105491231002"]],
    ["/?email=jane%40example.com&x=1", ["EMAIL_ADDRESS jane%40example.com"]],
    ["ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ", ["EMAIL_ADDRESS ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ"]],
    ["write to john@mail dot com now", ["EMAIL_ADDRESS john@mail dot com"]],
    ["10.0.0.1-10.0.0.9", ["IP_ADDRESS 10.0.0.1", "IP_ADDRESS 10.0.0.9"]],
    ["http://192.168.10.5:8080/x", ["IP_ADDRESS 192.168.10.5"]],
    ["::ffff:192.168.1.1 and fe80::1%eth0", ["IP_ADDRESS ::ffff:192.168.1.1", "IP_ADDRESS fe80::1%eth0"]],
    ["电话：０１０－６２３４５６７８", [`${PHONE} ０１０－６２３４５６７８`]],
    ["手机一三八一二三四五六七八", [`${PHONE} 一三八一二三四五六七八`]],
    ["(13812345678)", [`${PHONE} 13812345678`]],
    [
      "13812345678/13912345678,13712345678",
      [`${PHONE} 13812345678`, `${PHONE} 13912345678`, `${PHONE} 13712345678`],
    ],
    ["617-555-0199 617-555-0133", [`${PHONE} 617-555-0199`, `${PHONE} 617-555-0133`]],
    ["call 617 555 0199 x12 today", [`${PHONE} 617 555 0199 x12`]],
    ["call her at 07575 600798 8 am", [`${PHONE} 07575 600798`]],
    ["?phone=%2B14155550123", [`${PHONE} 14155550123`]],
    ["name,phone\nBob,+33 6 12 34 56 78", [`${PHONE} +33 6 12 34 56 78`]],
    [
      'DL: D1234567, driver_license: "D123-4567-8901"',
      ["US_DRIVER_LICENSE D1234567", "US_DRIVER_LICENSE D123-4567-8901"],
    ],
    ["Driver's License #: WDLABCD456DG", ["US_DRIVER_LICENSE WDLABCD456DG"]],
    ["License VV151911 issued to Bob", ["US_DRIVER_LICENSE VV151911"]],
    ['my zip code is 90210-1234; {"zip":"02139"}', ["ZIP_CODE 90210-1234", "ZIP_CODE 02139"]],
    ["邮编：100080，postcode SW1A 1AA", ["ZIP_CODE 100080", "ZIP_CODE SW1A 1AA"]],
    ["name,zip\nBob,02139", ["ZIP_CODE 02139"]],
    ['<a href="https://x.example.com/a?b=1">', ["DOMAIN_NAME https://x.example.com/a"]],
    ["postgres://user:pw@db.example.com/x", ["DOMAIN_NAME db.example.com/x"]],
    ["open river-works.io today", ["DOMAIN_NAME river-works.io"]],
  ];
  for (const [text, want] of cases)
    it(text, () => assert.deepEqual([...new Set(seen(text))].sort(), [...want].sort()));
});

describe("numbers that look alike", () => {
  const cases = [
    "tracking 1Z999AA10123456784",
    "FedEx tracking 123456789012",
    "ISBN 9783161484100",
    "UPC 012345678905",
    "IMEI 490154203237518",
    "SIM card number 8986001234567890123",
    "订单号 4111111111111111",
    "单号：202401151234567",
    "build 10.0.19041.1",
    "section 4.3.2.1",
    "3.5.2.1 Results",
    "256.1.1.1",
    "timestamp 1700000000000",
    "40.7128, -74.0060",
    "116.397428,39.90923",
    "factorial of 20 is 2432902008176640000",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "550e8400-e29b-41d4-a716-446655440000",
    "[1, 22, 333, 4444, 55555, 666666, 7777777]",
    "12,345,678,901",
    "invoice INV-2024-000123",
    "flight 123-456-7890",
    "account 123456789",
    "EIN 12-3456789",
    "license plate 7ABC123",
    "MIT License 2024",
    "licence key 1234-5678-9012",
    "compress to zip 2024",
    "DE11370400440532013000 is a code",
    "110105199002300028",
    "software license number 12345678",
    "call us about order 6175550199",
    "a call in driver's license plate number 12345678",
    "zip file 12345",
    "postal worker 12345",
    "image@2x.png",
    "git@github.com:a/b.git",
    "System.IO and Math.floor",
    "end of one.In the next",
    "ASP.NET and Socket.io",
    "1990-2000 2001-2010",
    "QQ 123456789",
    "2023年12月25日 10:30",
    "一二三四五",
    "1-2-3-4-5-6-7-8-9-10-11-12",
  ];
  for (const text of cases) it(text, () => assert.deepEqual(seen(text), []));
});

it("where a number stands in a table its column names it, not its neighbours", () => {
  const text = "name,ssn,order\nBob,219091234,219091235";
  assert.deepEqual(seen(text), ["US_SSN 219091234"]);
});

describe("hostile text takes linear time", () => {
  const hostile: Record<string, string> = {
    ats: "@",
    letters: "a",
    mails: "a@",
    "whole mails": "a@b.co ",
    digits: "1",
    "wide digits": "１",
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
    rows: "name,phone\n617-555-0199,617-555-0133\n",
  };
  // A quadratic search takes minutes over this much.
  for (const [name, piece] of Object.entries(hostile)) {
    it(name, { timeout: 30_000 }, () => {
      assert.ok(Array.isArray(recognise(piece.repeat(Math.ceil(400_000 / piece.length)))));
    });
  }
});
