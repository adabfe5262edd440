import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Command } from "../../src/cli/command.ts";
import { commands } from "../../src/cli/commands.ts";
import { parse } from "../../src/cli/parse.ts";

const command = (least: number, most: number): Command => ({
  usage: "try",
  about: "",
  options: {
    config: { type: "string", value: "FILE", description: "a file" },
    kind: { type: "string", choices: ["a", "b"], description: "a choice" },
    header: { type: "string", many: true, description: "repeated" },
    json: { type: "boolean", short: "j", description: "a flag" },
  },
  positionals: [least, most],
  run: async () => 0,
});

function given(args: string, least = 0, most = 2) {
  const found = parse(command(least, most), args.split(" ").filter(Boolean));
  assert.ok(found !== "help");
  return found;
}

describe("what was given", () => {
  test("values in both spellings, flags, and what was not given", () => {
    const { text, flag, all, positionals } = given("x --config f --kind=b -j -- --y");
    assert.deepEqual([text("config"), text("kind"), text("header")], ["f", "b", undefined]);
    assert.deepEqual([flag("json"), given("").flag("json")], [true, false]);
    assert.deepEqual([positionals, all("header")], [["x", "--y"], []]);
  });
  test("an option that may come more than once keeps its order", () => {
    assert.deepEqual(given("--header a --header=b").all("header"), ["a", "b"]);
  });
  test("an inline value may begin with a dash, and a lone dash is one", () => {
    assert.equal(given("--config=-x").text("config"), "-x");
    assert.equal(given("--config -").text("config"), "-");
  });
  for (const args of ["--help", "-h", "x --help y z --nope"])
    test(`${args} asks for help`, () => assert.equal(parse(command(0, 0), args.split(" ")), "help"));
});

describe("a text that begins with a dash", () => {
  const speaking: Command = { ...command(0, 1), usage: "say TEXT", takesText: true };
  const behind = "a text that begins with a dash comes behind --: say --";
  const rows: readonly (readonly [text: string, says: string])[] = [
    ["-5 + 3", `unknown option "-5 + 3"; ${behind} "-5 + 3"`],
    ["-how?", `unknown option "-how?"; ${behind} "-how?"`],
    ["-x = $y's", `unknown option "-x "; ${behind} '-x = $y'\\''s'`],
    [`-${"x".repeat(100)}`, `unknown option "-${"x".repeat(59)}…"; ${behind} "-..."`],
    ["--jsn", 'unknown option "--jsn"; did you mean "--json"?'],
  ];
  for (const [text, message] of rows)
    test(text.slice(0, 20), () =>
      assert.throws(() => parse(speaking, [text]), { name: "UsageError", message }),
    );
  test("is taken there", () => {
    const found = parse(speaking, ["--", "-5 + 3"]);
    assert.deepEqual(found !== "help" && found.positionals, ["-5 + 3"]);
  });
  test("a command that takes none has no such hint", () =>
    assert.throws(() => given("-5"), { message: 'unknown option "-5"' }));
  for (const name of ["explain", "classify"])
    test(`${name} takes one`, async () => assert.equal((await commands[name]!.load()).takesText, true));
});

describe("what cannot be understood", () => {
  const rows: readonly (readonly [args: string, says: string, least?: number, most?: number])[] = [
    ["--confg x", 'unknown option "--confg"; did you mean "--config"?'],
    ["-config x", 'unknown option "-config"; did you mean "--config"?'],
    ["-config=x", 'unknown option "-config"; did you mean "--config"?'],
    ["--zzzzzzzz", 'unknown option "--zzzzzzzz"'],
    ["--constructor", 'unknown option "--constructor"'],
    ["--no-json", 'unknown option "--no-json"; did you mean "--json"?'],
    ["--config", "--config needs a value"],
    ["--config=", "--config needs a value, and it is empty"],
    ["--config --json", "--config needs a value; one that begins with a dash is given as --config=--json"],
    ["--json=yes", "--json takes no value"],
    ["--kind c", '--kind must be one of a, b, not "c"'],
    ["--config a --config b", "--config is given twice"],
    ["--json -j", "--json is given twice"],
    ["x", 'unexpected "x"', 0, 0],
    ["x y z", "at most 2 arguments wanted, and 3 came"],
    ["", "one argument wanted, and none came", 1, 1],
    ["x", "2 arguments wanted, and 1 came", 2, 2],
    ["", "at least one argument wanted, and none came", 1, Number.POSITIVE_INFINITY],
  ];
  for (const [args, message, least, most] of rows)
    test(args || "nothing", () =>
      assert.throws(() => given(args, least, most), { name: "UsageError", message }),
    );
});
