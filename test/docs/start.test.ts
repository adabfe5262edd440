import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parse, type YAMLSeq } from "yaml";
import { startModelServer } from "../../scripts/demo/model-server.ts";
import { startOtlpReceiver } from "../../scripts/demo/otlp-receiver.ts";
import { ENVOY_PATHS } from "../../src/envoy/render.ts";
import { demoEnv, runScript, type Script } from "../support/demo.ts";
import { envoyMissing, startEnvoy } from "../support/envoy.ts";
import { startProduct } from "../support/product.ts";
import { repoRoot, textOf } from "../support/repo.ts";
import { blocksOf, pages } from "./markdown.ts";

const up = "Ctrl-C stops everything.";
const folder = mkdtempSync(join(tmpdir(), "docs-"));
const myYaml = join(folder, "my.yaml");
writeFileSync(myYaml, blocksOf("README.md", "yaml")[0]!.text);
after(() => rmSync(folder, { recursive: true, force: true }));

/** Each curl line, with the start of the answer that the page shows for it. */
const calls = pages
  .filter((page) => page !== "README.zh-CN.md")
  .flatMap((page) => {
    const blocks = blocksOf(page);
    return blocks.flatMap(({ text }, i) =>
      text.startsWith("curl ") ? [{ page, line: text, shown: blocks[i + 1]! }] : [],
    );
  });

test("npm start is what is run here", () => {
  const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
  assert.equal(scripts.start, "node scripts/with-node.mjs scripts/start.ts");
});

describe("npm start, as the README shows it", { skip: envoyMissing }, () => {
  let script: Started;
  let port: string;
  before(async () => {
    const env = await demoEnv();
    port = env.ENVOY_PORT!;
    script = start(env);
    await script.says(up);
  });
  after(() => script.end());

  test("prints that tree", () => {
    const shown = blocksOf("README.md", "text").find(({ text }) => text.includes("semantic_router."))!.text;
    const printed = script.output().split("\n");
    const at = printed.findIndex((line) => line.startsWith("mathematics:"));
    const tree = printed.slice(at, at + shown.split("\n").length).join("\n");
    assert.equal(masked(shown), masked(tree));
  });

  test("prints the curl line that the README gives", () => {
    const shown = calls.find(({ page }) => page === "README.md")!.line;
    assert.ok(script.output().includes(shown.replace(":8801/", `:${port}/`)));
  });

  for (const { page, line, shown } of calls) {
    test(`${page}: ${line.slice(line.indexOf("-d"), 120)}`, async () => {
      assert.equal(shown.language, "http");
      const [status, ...headers] = shown.text.split("\n");
      const got = await call(line.replace("127.0.0.1:8801", `127.0.0.1:${port}`));
      assert.equal(got.status, Number(status!.split(" ")[1]), got.text);
      const told = ([name]: readonly [string, string]) =>
        name.startsWith("x-vsr-") || name === "content-type";
      const pairs = headers.map((header) => header.split(": ") as [string, string]);
      assert.deepEqual(maskedPairs(got.headers.filter(told)), maskedPairs(pairs));
    });
  }
});

describe("the other ways to start", { skip: envoyMissing }, () => {
  test("OTLP_ENDPOINT=localhost:4317 npm start", async () => {
    const env = await demoEnv();
    await using receiver = await startOtlpReceiver();
    await using script = start({ ...env, OTLP_ENDPOINT: `localhost:${receiver.port}` });
    await script.says(up);
    await script.end();
    assert.equal(receiver.spans.filter(({ name }) => name === "semantic_router.request.received").length, 6);
  });

  test("CONFIG_PATH=my.yaml npm start", async () => {
    await using script = start({ ...(await demoEnv()), CONFIG_PATH: myYaml });
    await script.says(up);
    assert.match(script.output(), /routes to small, large, as /);
    assert.equal(await script.end(), 0);
  });
});

test("npx semantic-router check my.yaml", () => {
  const blocks = blocksOf("README.md");
  const at = blocks.findIndex(({ text }) => text === "npx semantic-router check my.yaml");
  const command = blocks[at]!.text.replace("my.yaml", myYaml);
  const { stdout, stderr, status } = spawnSync("/bin/sh", ["-c", command], {
    cwd: repoRoot,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  assert.equal(stdout.trim().replace(myYaml, "my.yaml"), blocks[at + 1]!.text);
});

test("the routes of envoy.md let nothing through that is not guarded", { skip: envoyMissing }, async () => {
  const sample = blocksOf("docs/envoy.md", "yaml").find(({ text }) =>
    text.startsWith("# routes of one endpoint"),
  )!;
  await using models = await startModelServer({ name: "one" });
  const endpoint = { name: "math-endpoint", address: "127.0.0.1", port: models.port };
  await using product = await startProduct(
    JSON.stringify({
      vllm_endpoints: [endpoint],
      model_config: { one: { preferred_endpoints: [endpoint.name] } },
      default_model: "one",
    }),
  );
  await using envoy = await startEnvoy({
    endpoints: [endpoint],
    processor: { address: "127.0.0.1", port: product.port },
    edits: (doc) => {
      const routes = doc.getIn(ENVOY_PATHS.routes, true) as YAMLSeq;
      const added = (parse(sample.text) as object[]).map((route) => doc.createNode(route));
      routes.items = [...added, routes.items.at(-1)];
    },
  });
  const post = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${envoy.port}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"model":"one","messages":[{"role":"user","content":"hello"}],"prompt":"hello","input":"hello"}',
    });
    const { error } = (await answer.json()) as { error?: { code: string } };
    return error ? `${answer.status} ${error.code}` : answer.status;
  };
  assert.equal(await post("/v1/chat/completions"), 200);
  assert.equal(await post("/v1/completions"), 200);
  for (const path of ["/v1/responses", "/v1/embeddings", "/v1/chat/completions/x"])
    assert.equal(await post(path), "503 no_endpoint", path);
  assert.equal(models.requests.length, 2);
});

type Started = Script & AsyncDisposable & { end(): Promise<number | null> };

function start(env: Record<string, string>): Started {
  const script = runScript("scripts/start.ts", env);
  const end = () => {
    script.child.kill("SIGINT");
    return script.exited;
  };
  const dispose = async () => {
    await end();
  };
  return { ...script, end, [Symbol.asyncDispose]: dispose };
}

/** Numbers and the columns that follow from their width. */
const masked = (text: string): string => text.replace(/\b\d+(\.\d+)?\b/g, "#").replace(/ +/g, " ");

const maskedPairs = (pairs: readonly (readonly [string, string])[]) =>
  pairs.map(([name, value]) => `${name}: ${value.replace(/^[01]\.\d{3}$/, "#")}`).sort();

interface Got {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly text: string;
}

/** Runs a curl line; where there is no curl, does what it says. */
async function call(line: string): Promise<Got> {
  const { stdout, error } = spawnSync("/bin/sh", ["-c", line.replace("curl ", "curl -s ")], {
    encoding: "utf8",
  });
  if (!error && stdout.startsWith("HTTP/")) {
    const [head, text = ""] = stdout.split("\r\n\r\n", 2);
    const [first, ...rest] = head!.split("\r\n");
    const headers = rest.map(
      (one) => [one.slice(0, one.indexOf(": ")), one.slice(one.indexOf(": ") + 2)] as const,
    );
    return { status: Number(first!.split(" ")[1]), headers, text };
  }
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
  const after = (flag: string) => words.flatMap((word, i) => (word === flag ? [words[i + 1]!] : []));
  const answer = await fetch(words.find((word) => word.startsWith("http:"))!, {
    method: "POST",
    headers: after("-H").map((header) => header.split(": ") as [string, string]),
    body: after("-d")[0] ?? null,
  });
  return { status: answer.status, headers: [...answer.headers], text: await answer.text() };
}
