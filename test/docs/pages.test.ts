import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { readSettings } from "../../scripts/lib/settings.ts";
import { readChat } from "../../src/chat/request.ts";
import { parseConfig } from "../../src/config/load.ts";
import { ENVOY_PATHS } from "../../src/envoy/render.ts";
import { refusalAnswer } from "../../src/extproc/answers.ts";
import { names } from "../../src/extproc/headers.ts";
import { type Refusal, refusals } from "../../src/outcome.ts";
import { filesUnder, relativeLinks, repoRoot, textOf, withoutComments } from "../support/repo.ts";
import { blocksOf, codeIn, pages, proseOf, rowsOf, section, sorted, unionIn } from "./markdown.ts";

const scripts = (JSON.parse(textOf("package.json")) as { scripts: Record<string, string> }).scripts;
const envoyYaml = textOf("envoy/envoy.yaml");

describe("commands", () => {
  const isScript = (name: string) => () => {
    const file = /(\S+\.m?[tj]s)(?: |$)(?!.*\.m?[tj]s)/.exec(scripts[name] ?? "")?.[1];
    assert.ok(scripts[name], `no script ${name}`);
    assert.ok(file === undefined || existsSync(join(repoRoot, file)), file);
  };
  /** Run for real, on other ports and with other files, by start.test.ts beside this one. */
  const isRun = () => {};
  const checked: Record<string, () => void> = {
    "npm start": isRun,
    "OTLP_ENDPOINT=localhost:4317 npm start": isRun,
    "CONFIG_PATH=my.yaml npm start": isRun,
    "npx semantic-router check my.yaml": isRun,
    "npm run generate": isScript("generate"),
    "npm test": isScript("test"),
    "npm run test:neighbours": isScript("test:neighbours"),
    "npm run test:kubernetes": isScript("test:kubernetes"),
    "npm test -- pipeline cache": () => {
      for (const part of ["pipeline", "cache"])
        assert.ok(filesUnder("test", /\.test\.ts$/).some((file) => file.includes(part)));
    },
    /** Its steps are carried out by test/image/. */
    "docker build -t semantic-router:0.1.0 .": () => assert.ok(existsSync(join(repoRoot, "Dockerfile"))),
  };
  const lines = pages
    .flatMap((page) => blocksOf(page, "sh"))
    .flatMap(({ page, text }) => text.split("\n").map((line) => ({ page, line })))
    // Run, or read, where Helm and a cluster are at hand.
    .filter(({ page }) => page !== "docs/helm.md" && page !== "docs/kubernetes.md")
    .filter(({ line }) => !line.startsWith("curl "));

  test("each is one of those that are checked, and none of these is left over", () => {
    assert.deepEqual(sorted(lines.map(({ line }) => line)), sorted(Object.keys(checked)));
  });
  for (const [line, check] of Object.entries(checked)) test(line, check);

  test("the README's table of commands", () => {
    const listed = codeIn(section("README.md", "## Commands").split("Variables that")[0] ?? "").filter(
      (code) => code.startsWith("npm "),
    );
    assert.deepEqual(
      listed,
      "start test processor demo-models envoy example:opentelemetry test:neighbours test:kubernetes evaluate bench generate"
        .split(" ")
        .map((name) => (name === "start" || name === "test" ? `npm ${name}` : `npm run ${name}`)),
    );
    for (const command of listed) isScript(command.split(" ").at(-1)!)();
  });
});

describe("samples", () => {
  const yaml = pages.filter((page) => page !== "README.zh-CN.md").flatMap((page) => blocksOf(page, "yaml"));
  for (const [i, { page, text }] of yaml.entries()) {
    if (/^# (part|routes) of /.test(text)) continue;
    test(`configuration ${i + 1}, of ${page}, loads without a warning`, () => {
      assert.deepEqual(parseConfig(text).warnings, []);
    });
  }

  test("the filter settings of envoy.md are those of envoy.yaml", () => {
    const [sample] = yaml.filter(({ text }) => text.startsWith("# part of envoy.yaml"));
    const filter = ENVOY_PATHS.extProc.reduce<unknown>(
      (node, key) => (node as Record<string | number, unknown>)[key],
      parse(envoyYaml),
    ) as Record<string, unknown>;
    for (const [key, value] of Object.entries(parse(sample!.text) as object))
      assert.deepEqual(filter[key], value, key);
    assert.equal(
      Object.keys(filter).length,
      Object.keys(parse(sample!.text)).length + 3,
      "type, service, status",
    );
  });

  test("every setting that envoy.md explains is in envoy.yaml", () => {
    const table = rowsOf(section("docs/envoy.md", "## What it does, and why"));
    const settings = table
      .flatMap(([setting]) => codeIn(setting ?? ""))
      .filter((code) => !code.startsWith("x-"));
    assert.ok(settings.length > 15);
    const flat = envoyYaml.replaceAll("{ value: 0 }", "0");
    for (const setting of settings) assert.ok(flat.includes(setting), setting);
  });
});

describe("docs/errors.md", () => {
  const page = "docs/errors.md";
  const sampleOf = (code: string) => /```json\n(.*)\n```/.exec(section(page, `### ${code}`))?.[1];

  test("the table is that of src/outcome.ts", () => {
    const rows = rowsOf(section(page, "## Refused by the router")).map(
      ([kind, status, type, code, outcome]) => [
        kind,
        {
          status: Number(status),
          type: codeIn(type!)[0],
          code: codeIn(code!)[0],
          outcome: codeIn(outcome!)[0],
        },
      ],
    );
    const expected = structuredClone(refusals) as Record<string, { code: string | undefined }>;
    expected.malformed!.code = undefined;
    assert.deepEqual(Object.fromEntries(rows), expected);
  });

  test("the codes of malformed requests are those of the code", () => {
    const rows = rowsOf(section(page, "## Malformed requests"));
    const listed = rows.filter(([code]) => code!.startsWith("`")).map(([code]) => codeIn(code!)[0]!);
    const atTheRim = [...textOf("src/extproc/request-phase.ts").matchAll(/\bcode: "([a-z_]+)"/g)].map(
      ([, code]) => code!,
    );
    const known = [...unionIn("src/chat/request-fault.ts", "readonly code:"), ...atTheRim];
    assert.deepEqual(sorted(listed), sorted(known));
  });

  test("the paths that are refused are those of src/extproc/target.ts", () => {
    const [refused, use] = section(page, "### unguarded_path").split(". Use ");
    const paths = (text: string) => codeIn(text).filter((code) => code.startsWith("/"));
    const listIn = (name: string) => {
      const list = new RegExp(`const ${name}\\b[^;]*;`).exec(textOf("src/extproc/target.ts"))?.[0] ?? "";
      return [...list.matchAll(/"(\/[^"]+)"/g)].map(([, path]) => path!);
    };
    assert.deepEqual(paths(refused!), listIn("otherDoors"));
    assert.deepEqual(paths(use!), listIn("guarded"));
  });

  const read = readChat(Buffer.from('{"model":"auto","messages":[{"role":"user","content":1}]}'), "chat");
  assert.equal(read.kind, "malformed");
  const samples: readonly Exclude<Refusal, { kind: "malformed" }>[] = [
    { kind: "too_large", limitBytes: parseConfig("").config.limits.max_body_bytes },
    { kind: "unsupported_encoding", encoding: "gzip" },
    { kind: "unguarded_path" },
    { kind: "unknown_model", model: "gpt-9" },
    { kind: "no_model" },
    { kind: "no_endpoint", model: "math-model" },
    { kind: "pii", types: ["EMAIL_ADDRESS"], model: "general-model" },
    { kind: "jailbreak", type: "jailbreak", confidence: 0.981 },
    { kind: "guard_failed", stage: "pii_detection", reason: "deadline" },
    { kind: "overloaded", stage: "pii_detection" },
    { kind: "misconfigured", message: "Envoy's ext_proc filter must send request bodies BUFFERED." },
    { kind: "internal" },
  ];
  const bodyOf = (refusal: Refusal) => Buffer.from(refusalAnswer(refusal, undefined, 403).body).toString();
  for (const refusal of samples) {
    const { code } = refusals[refusal.kind];
    test(`the sample of ${code} is what is sent`, () => assert.equal(sampleOf(code), bodyOf(refusal)));
  }
  test("the other samples are what is sent", () => {
    assert.equal(samples.length, Object.keys(refusals).length - 1);
    const bodies = blocksOf(page, "json").map(({ text }) => text);
    assert.equal(bodies[0], bodyOf({ kind: "unknown_model", model: "gpt-9" }));
    assert.ok(read.kind === "malformed" && bodies.includes(bodyOf(read)));
    assert.match(textOf("src/extproc/request-phase.ts"), /BUFFERED\."/);
  });

  test("what Envoy refuses is what envoy.yaml says", () => {
    const text = section(page, "## Refused by Envoy");
    const mapped = [...envoyYaml.matchAll(/json_format: (\{ error: .*\} \})/g)].map(
      ([, format]) => parse(format!) as { error: { code: string } },
    );
    const direct = JSON.parse(/inline_string: '(.*)'/.exec(envoyYaml)![1]!) as { error: { code: string } };
    const bodies = [...text.matchAll(/```json\n(.*)\n```/g)].map(([, body]) => JSON.parse(body!) as object);
    assert.deepEqual(bodies, [...mapped, direct]);
    assert.deepEqual(
      rowsOf(text).map(([code]) => codeIn(code!)[0]),
      [...mapped, direct].map(({ error }) => error.code),
    );
  });
});

test("docs/headers.md lists every header that src uses, and no other", () => {
  const used = filesUnder("src", /\.ts$/)
    .flatMap((path) => [...withoutComments(textOf(path)).matchAll(/\bnames\.(\w+)/g)].map(([, key]) => key!))
    .flatMap((key) => names[key as keyof typeof names] ?? []);
  const text = proseOf("docs/headers.md");
  const listed = [
    ...rowsOf(text).flatMap(([header]) => codeIn(header!)),
    ...(text.includes("`:status`") ? [":status"] : []),
  ];
  const { tenant_header } = parseConfig("").config.semantic_cache;
  assert.deepEqual(sorted(listed), sorted([...used, tenant_header, "x-vsr-*"]));
});

describe("docs/trace.md", () => {
  const page = "docs/trace.md";
  const setIn = (path: string) =>
    [...withoutComments(textOf(path)).matchAll(/\.set\(\s*"([a-z_]+(?:\.[a-z_]+)*)"/g)].map(
      ([, name]) => name!,
    );
  const listedIn = (heading: string) => rowsOf(section(page, heading)).map(([name]) => codeIn(name!)[0]!);
  const spanIn = (path: string) => /"(semantic_router\.[a-z_.]+)"/.exec(withoutComments(textOf(path)))?.[1];

  const root = filesUnder("src/extproc", /\.ts$/);
  const stages = filesUnder("src/pipeline", /\.ts$/);
  const sharedPass = "src/pipeline/shared-pass.ts";
  const groups = new Map([["### `semantic_router.request.received`", root]]);
  for (const path of stages) {
    const span = spanIn(path);
    const reads = textOf(path).includes("describePass(span");
    if (span) groups.set(`### \`${span}\``, reads ? [path, sharedPass] : [path]);
    else if (path !== sharedPass && setIn(path).length > 0) groups.set("### Any stage that failed", [path]);
  }
  test("it has a heading for every span", () => {
    const headings = textOf(page).match(/^### .*$/gm) ?? [];
    assert.deepEqual(sorted(headings), sorted(groups.keys()));
    assert.equal(groups.size, 10);
  });
  for (const [heading, files] of groups) {
    test(`${heading.slice(4)}: the attributes are those that are set`, () => {
      assert.deepEqual(sorted(listedIn(heading)), sorted(files.flatMap(setIn)));
      assert.equal(new Set(listedIn(heading)).size, listedIn(heading).length);
    });
  }

  const firstColumn = (heading: string) => rowsOf(section(page, heading)).map(([value]) => codeIn(value!)[0]);
  test("the values of outcome are those of the code", () => {
    assert.deepEqual(firstColumn("## outcome"), unionIn("src/extproc/story.ts", "type Ending ="));
  });

  const explained = codeIn(textOf(page));
  const vocabulary: readonly (readonly [name: string, words: readonly string[]])[] = [
    [
      "outcome.reason",
      [
        ...root.flatMap((path) => [...textOf(path).matchAll(/"((?:ended|answered)_[a-z_]+)"/g)]),
        ...textOf("src/extproc/cause.ts").matchAll(/, "([a-z_]+)"\],/g),
      ].map(([, word]) => word!),
    ],
    [
      "routing.reason",
      ["reasoning", "routing-decision"].flatMap((stage) => [
        ...[
          ...textOf(`src/pipeline/${stage}.ts`).matchAll(/(?:why: |"routing\.reason", |\? )"([a-z_]+)"/g),
        ].map(([, word]) => word!),
      ]),
    ],
    ["endpoint.reason", unionIn("src/pipeline/endpoint-picker.ts", "readonly reason:")],
    ["error.type", unionIn("src/models/encode.ts", "readonly reason:")],
  ];
  for (const [name, words] of vocabulary) {
    test(`every value of ${name} is explained`, () => {
      assert.ok(words.length > 3);
      for (const word of words.filter((one) => !["low", "very_low"].includes(one)))
        assert.ok(explained.includes(word), word);
    });
  }
});

describe("README", () => {
  test("each span is linked to the file that opens it", () => {
    const rows = [...textOf("README.md").matchAll(/^\| \[`(semantic_router\.[a-z_.]+)`\]\(([^)]+)\)/gm)];
    assert.equal(rows.length, 9);
    for (const [, span, file] of rows) assert.ok(withoutComments(textOf(file!)).includes(`"${span}"`), span);
  });

  test("the variables are those that npm start reads, with their defaults", () => {
    const code = ["lib/settings.ts", "lib/paint.ts", "envoy-binary.ts"]
      .map((file) => textOf(`scripts/${file}`))
      .join();
    const read = [...code.matchAll(/\benv\.([A-Z_]+)|\(env, "([A-Z_]+)"/g)].map(([, a, b]) => a ?? b!);
    const table = section("README.md", "## Commands").split("Variables that")[1] ?? "";
    const listed = rowsOf(table).flatMap(([name, , meaning]) =>
      codeIn(`${name} ${meaning}`).filter((word) => /^[A-Z_]+$/.test(word)),
    );
    assert.deepEqual(sorted(listed), sorted([...read.filter((name) => name !== "PATH"), "SR_LOG_LEVEL"]));
    const { envoyPort, adminPort, processorPort, demoPort } = readSettings({});
    assert.deepEqual(
      rowsOf(table).flatMap(([, value]) => (/^\d+$/.test(value!) ? [Number(value)] : [])),
      [envoyPort, adminPort, processorPort, demoPort],
    );
  });

  test("the Chinese one has the same headings, tables, code, names and links", () => {
    const [english, chinese] = ["README.md", "README.zh-CN.md"] as const;
    const shape = (page: string) => ({
      code: blocksOf(page).map(({ language, text }) => ({ language, text })),
      headings: [...proseOf(page).matchAll(/^(#+) /gm)].map(([, level]) => level),
      steps: proseOf(page).match(/^\d+\. /gm)?.length,
      tables: rowsOf(proseOf(page)).map((row) => row.length),
      names: codeIn(proseOf(page)).sort(),
      links: relativeLinks(page, textOf(page))
        .filter((link) => link !== english && link !== chinese)
        // Where a page has a Chinese version, the Chinese README leads to it.
        .map((link) => link.replace(".zh-CN.md", ".md"))
        .sort(),
    });
    assert.deepEqual(shape(chinese), shape(english));
    assert.match(textOf(english).split("\n\n")[1]!, /\(README\.zh-CN\.md\)/);
    assert.match(textOf(chinese).split("\n\n")[1]!, /\(README\.md\)/);
  });
});

describe("links", () => {
  const slug = (heading: string) =>
    heading
      .replace(/^#+ /, "")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-");
  for (const page of pages) {
    test(`those of ${page} lead somewhere, headings included`, () => {
      for (const [, path, anchor] of proseOf(page).matchAll(/\]\(([^)#\s]*)#([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(path!)) continue;
        const target = path === "" ? page : relativeLinks(page, `[x](${path})`)[0]!;
        const anchors = (textOf(target).match(/^#+ .*$/gm) ?? []).map(slug);
        assert.ok(anchors.includes(decodeURIComponent(anchor!)), `${path}#${anchor}`);
      }
      for (const target of relativeLinks(page, textOf(page)))
        assert.ok(existsSync(join(repoRoot, target)), target);
    });
  }

  test("docs/index.md lists every page", () => {
    const listed = rowsOf(textOf("docs/index.md")).map(([page]) => /\((.*)\)/.exec(page!)?.[1]);
    const there = filesUnder("docs", /\.md$/)
      .filter((path) => /^docs\/(?!index)[^/]+$/.test(path))
      .map((path) => path.slice(5));
    assert.deepEqual(sorted(listed.map(String)), sorted(there));
  });
});
