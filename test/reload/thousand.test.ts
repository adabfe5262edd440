import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { bodyOf, openStream, sends, setHeaders } from "../support/ext-proc.ts";
import { inspectable, retainedBytes } from "../support/heap.ts";
import { startProduct } from "../support/product.ts";

// A configuration that changes all the time, with all its names, while requests are under way.

const reloads = 1000;
const clients = 6;

/** Everything that an exchange shows of its configuration carries the number. */
const yaml = (n: number) =>
  JSON.stringify({
    admin: { listen: "127.0.0.1:0", token: "t" },
    inference: { workers: 1, deadline_ms: 60_000, max_deadline_ms: 60_000 },
    vllm_endpoints: [{ name: `endpoint-${n}`, address: "127.0.0.1", port: 8001 }],
    model_config: { [`model-${n}`]: { preferred_endpoints: [`endpoint-${n}`] } },
    default_model: `model-${n}`,
    categories: [
      {
        name: `category-${n}`,
        system_prompt: `prompt-${n}`,
        model_scores: [{ model: `model-${n}`, score: 1, use_reasoning: false }],
      },
    ],
    keyword_rules: [{ category: `category-${n}`, operator: "OR", keywords: ["hello"] }],
    prompt_guard: { enabled: true },
    semantic_cache: { enabled: true },
  });

/** The numbers that one exchange met; one number, if all of it was under one configuration. */
async function exchange(port: number, text: string): Promise<ReadonlySet<string>> {
  const stream = openStream(port);
  const over = new Promise<void>((resolve, reject) => {
    stream.on("error", reject).on("end", resolve);
  });
  over.catch(() => {});
  const say = async (message: object): Promise<Record<string, unknown>> => {
    const answer = new Promise<Record<string, unknown>>((resolve) => stream.once("data", resolve));
    stream.write(message);
    const first = await Promise.race([answer, over]);
    assert.ok(first, "the stream ended before its answer");
    return first;
  };
  await say(sends.requestHeaders());
  await sleep(Math.random() * 30);
  const verdict = await say(
    sends.requestBody({ model: "auto", messages: [{ role: "user", content: text }] }),
  );
  assert.equal(verdict.response, "request_body", JSON.stringify(verdict));
  await sleep(Math.random() * 30);
  const answered = await say(sends.responseHeaders(200));
  await say(sends.responseBody({ choices: [] }));
  stream.end();
  await over;
  const shown = JSON.stringify([setHeaders(verdict), bodyOf(verdict)!.toString(), setHeaders(answered)]);
  const numbers = shown.match(/(?:endpoint|model|category|prompt)-\d+/g) ?? [];
  for (const part of ["endpoint", "model", "category", "prompt"])
    assert.ok(
      numbers.some((one) => one.startsWith(part)),
      `the exchange shows its ${part}: ${shown}`,
    );
  return new Set(numbers.map((one) => one.replace(/.*-/, "")));
}

test(`${reloads} reloads under load: no exchange fails or meets two configurations, and memory stays flat`, async () => {
  await using product = await startProduct(yaml(0), inspectable);
  const retained = await retainedBytes(product);
  let stop = false;
  const met = new Set<string>();
  let exchanges = 0;
  const mixed: string[][] = [];
  const client = async (id: number) => {
    while (!stop) {
      const numbers = await exchange(product.port, `hello ${id} ${exchanges}`);
      exchanges += 1;
      if (numbers.size !== 1) mixed.push([...numbers]);
      for (const number of numbers) met.add(number);
    }
  };
  const load = Promise.all(Array.from({ length: clients }, (_, id) => client(id)));
  load.catch(() => {});
  const mb: number[] = [];
  for (let n = 1; n <= reloads; n += 1) {
    writeFileSync(`${product.file}.new`, yaml(n));
    renameSync(`${product.file}.new`, product.file);
    const response = await fetch(`http://127.0.0.1:${product.adminPort}/reload`, {
      method: "POST",
      headers: { authorization: "Bearer t" },
    });
    assert.equal(response.status, 200, await response.clone().text());
    await response.arrayBuffer();
    if (n % 100 === 0) mb.push((await retained()) / 1e6);
  }
  stop = true;
  await load;
  assert.deepEqual(mixed, []);
  assert.ok(exchanges > reloads / 2, `${exchanges} exchanges`);
  assert.ok(met.size > reloads / 4, `exchanges met ${met.size} configurations`);
  const [, settled] = mb;
  assert.ok(
    mb.at(-1)! < settled! + 2,
    `MB held after every 100 reloads: ${mb.map((one) => one.toFixed(1)).join(", ")}`,
  );
  console.log(
    `# ${exchanges} exchanges, ${met.size} configurations met, MB ${mb.map((one) => one.toFixed(1)).join(" ")}`,
  );
});
