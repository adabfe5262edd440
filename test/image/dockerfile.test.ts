import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { ignoreRules } from "../../scripts/image/context.ts";
import { expand, readDockerfile } from "../../scripts/image/dockerfile.ts";
import { ensurePart, hadolint } from "../../scripts/image/pypi.ts";
import { initial, settingsAfter } from "../../scripts/image/settings.ts";
import { textOf } from "../support/repo.ts";

const text = textOf("Dockerfile");
const { args, stages } = readDockerfile(text);
const stage = (name: string) => stages.find((one) => one.name === name)!;
const manifest = JSON.parse(textOf("package.json")) as {
  version: string;
  license: string;
  description: string;
  config: { processor_flags: string };
  devDependencies: { node: string };
};
const given = new Map([
  ["REVISION", "0123abc"],
  ["CREATED", "2026-01-01T00:00:00Z"],
]);
const settings = [...stage("program").steps, ...stages.at(-1)!.steps].reduce(
  (before, step) => settingsAfter(before, step, given),
  initial,
);

describe("Dockerfile", () => {
  test("hadolint has nothing to say, and no rule of it is switched off", (t) => {
    let file: string;
    try {
      file = ensurePart(hadolint, (line) => process.stderr.write(`${line}\n`));
    } catch (error) {
      if (process.env.CI) throw error;
      process.stderr.write(`NOT RUN: the Dockerfile was not linted: ${(error as Error).message}\n`);
      return t.skip((error as Error).message);
    }
    const run = spawnSync(file, ["--no-color", "-"], { input: text, encoding: "utf8" });
    assert.deepEqual({ status: run.status, stdout: run.stdout }, { status: 0, stdout: "" }, run.stderr);
    const bad = spawnSync(file, ["--no-color", "-"], { input: "FROM node\nRUN cd /x\n", encoding: "utf8" });
    assert.notEqual(bad.status, 0, "it can say no");
    assert.doesNotMatch(text, /hadolint ignore/);
  });

  test("its Node.js is the one that the tests run on", () => {
    assert.equal(args.find(({ name }) => name === "NODE_VERSION")?.value, manifest.devDependencies.node);
    assert.equal(process.versions.node, manifest.devDependencies.node);
  });

  test("the processor gets the flags of package.json, as does what is compiled for it", () => {
    const flags = manifest.config.processor_flags.split(" ");
    assert.deepEqual(settings.entrypoint, ["node", ...flags, "dist/main.js"]);
    const [run] = stage("compiled").steps.filter((step) => step.kind === "run");
    assert.deepEqual(run!.command, { exec: ["node", ...flags, "/tmp/warm.ts", "/tmp/quickstart.yaml"] });
  });

  test("what it tells an engine", () => {
    assert.deepEqual(settings.ports, ["50051", "9190"]);
    assert.equal(settings.stopSignal, "SIGTERM");
    assert.equal(settings.workdir, "/app");
    assert.match(settings.user, /^[1-9]\d*:[1-9]\d*$/, "a number, so that runAsNonRoot can be checked");
    assert.deepEqual(settings.health, ["node", "dist/main.js", "health"]);
    assert.deepEqual(settings.labels, {
      "org.opencontainers.image.title": "semantic-router",
      "org.opencontainers.image.description": manifest.description,
      "org.opencontainers.image.licenses": manifest.license,
      "org.opencontainers.image.base.name": stage("program").from,
      "org.opencontainers.image.version": manifest.version,
      "org.opencontainers.image.revision": "0123abc",
      "org.opencontainers.image.created": "2026-01-01T00:00:00Z",
    });
  });

  test("steps that depend on the target run on it, the others on the machine that builds", () => {
    const platforms = Object.fromEntries(stages.map(({ name, platform }) => [name, platform]));
    const builds = "$BUILDPLATFORM";
    const target = undefined;
    assert.deepEqual(platforms, {
      build: builds,
      packages: builds,
      node: target,
      program: target,
      compiled: target,
      image: target,
    });
    assert.ok(stage("packages").steps.some((step) => step.kind === "arg" && step.name === "TARGETARCH"));
  });
});

describe("the reader of Dockerfiles", () => {
  const refused: readonly [string, RegExp][] = [
    ["FROM a\nADD x y", /Dockerfile:2: ADD is not understood/],
    ["FROM a\n\n# why\nVOLUME /x", /Dockerfile:4: VOLUME is not understood/],
    ["FROM a\nCOPY --link x y", /COPY --link is not understood/],
    ["FROM a\nRUN --mount=type=cache x", /RUN --mount is not understood/],
    ["FROM a\nCOPY src/*.ts x/", /plain paths only/],
    ["FROM a\nENV A=b C=d", /one NAME=VALUE/],
    ["FROM a\nHEALTHCHECK NONE", /HEALTHCHECK: CMD only/],
    ["FROM a\nLABEL a=b", /NAME="VALUE" only/],
    ["WORKDIR /x", /only ARG may stand before FROM/],
    ["FROM a\nRUN x \\", /continues nowhere/],
    ["FROM a\nnonsense", /not an instruction/],
  ];
  for (const [content, message] of refused)
    test(`refuses ${JSON.stringify(content)}`, () => assert.throws(() => readDockerfile(content), message));

  test("expands what has a value, and nothing else", () => {
    assert.equal(expand(`a-$\{B}-$B`, new Map([["B", "1"]])), "a-1-1");
    assert.throws(() => expand("$C", new Map()), /nothing says what C is/);
  });

  test("a shell is no entry point", () => {
    const [step] = readDockerfile("FROM a\nENTRYPOINT node dist/main.js").stages[0]!.steps;
    assert.throws(() => settingsAfter(initial, step!, new Map()), /the image has no shell/);
  });
});

describe(".dockerignore", () => {
  const sent = ignoreRules(textOf(".dockerignore"));
  const rows: readonly [string, boolean][] = [
    ["src/main.ts", true],
    ["models/encoder.onnx", true],
    [".npmrc", true],
    ["scripts/image/prune.ts", true],
    ["scripts/image/build.ts", false],
    ["node_modules/pino/package.json", false],
    [".git/config", false],
    [".cache/envoy/envoy", false],
    [".env", false],
    ["my.yaml", false],
    ["dist/main.js", false],
    ["training/export.py", false],
  ];
  for (const [path, expected] of rows)
    test(`${path}: ${expected ? "sent" : "not sent"}`, () => assert.equal(sent(path), expected));

  test("the last rule that matches decides; other forms are refused", () => {
    assert.equal(ignoreRules("*\n!a\na/b")("a/b/c"), false);
    assert.equal(ignoreRules("*\n!a\na/b")("a/c"), true);
    assert.throws(() => ignoreRules("**/*.log"), /not understood/);
  });
});
