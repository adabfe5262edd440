import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import { filesUnder, importsOf, relativeLinks, repoRoot, textOf, withoutComments } from "./support/repo.ts";

const sources = filesUnder("src", /\.ts$/);
const code = ["src", "test", "scripts", "bench", "envoy", "examples"].flatMap((dir) =>
  filesUnder(dir, /\.m?ts$/),
);

const spanName = /(["'`])(semantic_router\.[a-z_.]+)\1/g;
const spanNames = (text: string) => [...withoutComments(text).matchAll(spanName)].map(([, , name]) => name!);
const stages = new Set(
  sources.filter((path) => path.startsWith("src/pipeline/") && spanNames(textOf(path)).length > 0),
);

/** Who may import what, as prefixes; `type ` in front: types only. What is not in the table may import nothing of ours. */
const rooms: readonly (readonly [room: string, mayImport: readonly string[]])[] = [
  ["src/main.ts", ["src/"]],
  ["src/run.ts", ["src/"]],
  ["src/generations.ts", ["src/"]],
  ["src/generation.ts", ["src/"]],
  ["src/log.ts", []],
  ["src/unbindable.ts", []],
  ["src/reloading.ts", ["src/config/", "type src/generations.ts"]],
  [
    "src/self-test.ts",
    ["src/chat/", "src/pipeline.ts", "src/pipeline/", "src/telemetry/trace.ts", "type src/"],
  ],
  ["src/encoders.ts", ["src/models/", "type src/config/"]],
  ["src/admin/", ["src/admin/", "src/unbindable.ts", "type src/reloading.ts"]],
  // Each command shows what the product itself would do, so it may use all of it.
  ["src/cli/", ["src/"]],
  ["src/router.ts", ["src/"]],
  [
    "src/pipeline.ts",
    [
      "src/pipeline/",
      "src/outcome.ts",
      "src/chat/",
      "type src/config/",
      "type src/models/",
      "type src/cache/",
      "src/telemetry/trace.ts",
    ],
  ],
  [
    "src/pipeline/",
    [
      "src/pipeline/",
      "src/outcome.ts",
      "src/chat/",
      "src/config/schema.ts",
      "src/models/encode.ts",
      "src/cache/cache.ts",
      "src/telemetry/trace.ts",
      "src/telemetry/clock.ts",
      // How much of a prompt is worth holding.
      "src/telemetry/content.ts",
    ],
  ],
  [
    "src/extproc/",
    [
      "src/extproc/",
      "type src/pipeline.ts",
      "src/outcome.ts",
      "src/unbindable.ts",
      "src/chat/",
      "src/telemetry/",
      "src/protobuf/",
      "type src/config/",
    ],
  ],
  ["src/chat/", ["src/chat/"]],
  ["src/config/", ["src/config/"]],
  ["src/models/", ["src/models/", "src/config/schema.ts"]],
  ["src/cache/", ["src/cache/", "src/config/schema.ts"]],
  [
    "src/telemetry/",
    [
      "src/telemetry/",
      "src/config/schema.ts",
      // Variables are held to the same forms as the file.
      "src/config/otlp-endpoint.ts",
      "src/config/header-names.ts",
      "src/outcome.ts",
      "src/protobuf/",
    ],
  ],
  ["src/protobuf/", ["src/protobuf/"]],
  ["src/envoy/", ["src/envoy/"]],
];

/** Packages that only some rooms know. */
const packages: readonly (readonly [prefix: string, rooms: readonly string[]])[] = [
  ["@opentelemetry/", ["src/telemetry/"]],
  ["@grpc/", ["src/extproc/", "src/telemetry/"]],
  ["onnxruntime-node", ["src/models/"]],
];

function forbiddenImports(path: string, text: string): string[] {
  const allowed = rooms.find(([room]) => path.startsWith(room))?.[1] ?? [];
  const may = (to: string, typeOnly: boolean) =>
    allowed.some((one) =>
      one.startsWith("type ") ? typeOnly && to.startsWith(one.slice(5)) : to.startsWith(one),
    );
  return importsOf(path, text)
    .filter(({ to, ours, typeOnly }) => {
      if (!ours)
        return packages.some(
          ([name, at]) => to.startsWith(name) && !at.some((room) => path.startsWith(room)),
        );
      // Where one stage needs another's knowledge, that is a helper of its own.
      return !may(to, typeOnly) || (path.startsWith("src/pipeline/") && stages.has(to));
    })
    .map(({ to }) => to);
}

describe("imports", () => {
  for (const path of sources) {
    test(`${path} stays in its room`, () => assert.deepEqual(forbiddenImports(path, textOf(path)), []));
  }

  const rows: readonly [string, string, boolean][] = [
    ["src/chat/edit.ts", 'import { x } from "../outcome.ts";', false],
    ["src/chat/edit.ts", 'import type { X } from "../config/schema.ts";', false],
    ["src/chat/edit.ts", 'import { x } from "./json.ts";', true],
    ["src/outcome.ts", 'import type { X } from "./chat/request.ts";', false],
    ["src/config/load.ts", 'export * from "../outcome.ts";', false],
    ["src/pipeline/reasoning.ts", 'import { x } from "./stage.ts";', true],
    ["src/pipeline/reasoning.ts", 'import { x } from "./classification.ts";', false],
    ["src/pipeline/pii-detection.ts", 'import type { X } from "./jailbreak-detection.ts";', false],
    ["src/pipeline/stage.ts", 'import { x } from "../telemetry/tracing.ts";', false],
    ["src/pipeline/stage.ts", 'import { x } from "../models/model.ts";', false],
    ["src/pipeline.ts", 'import { x } from "./pipeline/classification.ts";', true],
    ["src/pipeline.ts", 'import { x } from "./cache/memory.ts";', false],
    ["src/pipeline.ts", 'import type { X } from "./cache/cache.ts";', true],
    ["src/extproc/server.ts", 'import { x } from "../pipeline.ts";', false],
    ["src/extproc/server.ts", 'import type { X } from "../pipeline.ts";', true],
    ["src/extproc/server.ts", 'import type { X } from "../pipeline/stage.ts";', false],
    ["src/extproc/server.ts", 'const x = await import("../run.ts");', false],
    ["src/models/model.ts", 'import {\n  x,\n  y,\n} from "../chat/request.ts";', false],
    ["src/telemetry/trace.ts", 'import "../pipeline.ts";', false],
    ["src/pipeline/stage.ts", 'import { x } from "@opentelemetry/api";', false],
    ["src/telemetry/trace.ts", 'import { x } from "@opentelemetry/api";', true],
    ["src/chat/json.ts", 'import { x } from "@grpc/grpc-js";', false],
    ["src/run.ts", 'import { x } from "./extproc/server.ts";', true],
    ["src/chat/json.ts", '// import { x } from "../outcome.ts";', true],
  ];
  test("the table can say no", () => {
    for (const [path, text, fine] of rows) {
      assert.equal(forbiddenImports(path, text).length === 0, fine, `${path}: ${text}`);
    }
    assert.equal(stages.size, 8, "as many stages as the trace has spans under its root");
  });
});

test("every span name is a literal in one file only", () => {
  const homes = new Map<string, Set<string>>();
  for (const path of sources) {
    for (const name of spanNames(textOf(path))) homes.set(name, (homes.get(name) ?? new Set()).add(path));
  }
  assert.deepEqual(
    [...homes].filter(([, files]) => files.size !== 1),
    [],
  );
  assert.equal(homes.size, 9);
});

test("no source file is longer than 300 lines", () => {
  const lengths = sources.map((path) => [path, textOf(path).trimEnd().split("\n").length] as const);
  assert.deepEqual(
    lengths.filter(([, lines]) => lines > 300),
    [],
  );
});

describe("what no file holds", () => {
  const everything = [...code, ...filesUnder("docs", /\.md$/), ...filesUnder("proto", /\.proto$/)];
  // Put together here, so that this file does not find itself.
  const unfinished = new RegExp(
    `\\b(?:${["TO", "FIX", "XX"].map((word, i) => word + ["DO", "ME", "X"][i]).join("|")})\\b`,
  );
  const anyType = /(?::|\bas|[<|&]|=>)\s*any\b(?!["'`\w-]|\s+[a-z])|,\s*any>|\bany\[\]/;
  const rows: readonly [string, RegExp, readonly string[], (text: string) => string, readonly string[]][] = [
    ["a note of unfinished work", unfinished, everything, (text) => text, [`// ${"TO"}DO: later`]],
    [
      "the type any",
      anyType,
      code,
      (text) => withoutComments(text).replace(/(["'`])(?:\\.|(?!\1)[^\\])*\1/g, '""'),
      ["x: any;", "x as any", "Map<string, any>", "any[]", "(): any => {}"],
    ],
    [
      "a default export",
      /^export\s+(?:default\b|\{[^}]*\bas\s+default\b)/m,
      code,
      withoutComments,
      ["export default 1;", "export { x as default };"],
    ],
  ];
  for (const [name, pattern, files, view, samples] of rows) {
    test(name, () => {
      assert.deepEqual(
        files.filter((path) => pattern.test(view(textOf(path)))),
        [],
      );
      for (const sample of samples) assert.match(view(sample), pattern);
    });
  }
});

describe("documents", () => {
  const pages = [...filesUnder("docs", /\.md$/), "README.md", "README.zh-CN.md"].filter((path) =>
    existsSync(join(repoRoot, path)),
  );
  const decisions = filesUnder("docs/decisions", /^\d.*\.md$/);

  for (const path of pages) {
    test(`the links of ${path} lead somewhere`, () => {
      const broken = relativeLinks(path, textOf(path)).filter(
        (target) => !existsSync(join(repoRoot, target)),
      );
      assert.deepEqual(broken, []);
    });
  }

  test("links are found in every form", () => {
    const markdown = [
      '[a](one.md#top) ![b](../two.png) [c](<three.md> "title") <a href="four.md">',
      "[d]: five.md",
      "[e](https://example.org/x.md) [f](#here) [g](mailto:x@y) `[h](code.md)`",
      "```\n[i](block.md)\n```",
    ].join("\n");
    assert.deepEqual(relativeLinks("docs/page.md", markdown), [
      "docs/one.md",
      "two.png",
      "docs/three.md",
      "docs/five.md",
      "docs/four.md",
    ]);
  });

  test("every decision is linked from some page", () => {
    const linked = new Set(
      pages.flatMap((path) => relativeLinks(path, textOf(path)).map((to) => `${path} ${to}`)),
    );
    const alone = decisions.filter(
      (path) => ![...linked].some((one) => one.endsWith(` ${path}`) && !one.startsWith(path)),
    );
    assert.deepEqual(alone, []);
  });

  test("every decision that the code names is there", () => {
    if (decisions.length === 0) return;
    const numbers = new Set(decisions.map((path) => basename(path).slice(0, 4)));
    const named = sources.flatMap((path) =>
      [...textOf(path).matchAll(/docs\/decisions\/(\d{4})/g)].map(([, number]) => `${path}: ${number}`),
    );
    assert.deepEqual(
      named.filter((one) => !numbers.has(one.slice(-4))),
      [],
    );
  });
});
