import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type ModelServer, startModelServer } from "../../scripts/demo/model-server.ts";

let server: ModelServer;
before(async () => {
  server = await startModelServer({ name: "math-endpoint", models: ["math-model"] });
});
after(() => server.stop());

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${server.port}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

const messages = [
  { role: "system", content: "Be exact." },
  { role: "user", content: [{ type: "text", text: "2 + 2?" }] },
];

type Answer = {
  choices: {
    message?: { content: string };
    text?: string;
    delta?: { content?: string };
    finish_reason: string | null;
  }[];
  usage?: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
  received?: {
    model: string;
    headers: Record<string, string>;
    system_prompt: string | null;
    reasoning: unknown;
  };
};

test("an answer tells what was received", async () => {
  const response = await post(
    "/v1/chat/completions",
    { model: "math-model", messages, reasoning_effort: "high" },
    { traceparent: "00-a", "x-selected-model": "math-model", authorization: "Bearer secret" },
  );
  const { choices, usage, received } = (await response.json()) as Answer;
  assert.match(choices[0]?.message?.content ?? "", /math-model at math-endpoint/);
  assert.equal(usage?.total_tokens, usage!.prompt_tokens + usage!.completion_tokens);
  assert.equal(received?.system_prompt, "Be exact.");
  assert.deepEqual(received?.reasoning, { reasoning_effort: "high" });
  assert.equal(received?.headers.traceparent, "00-a");
  assert.equal(received?.headers["x-selected-model"], "math-model");
  assert.equal(received?.headers.authorization, undefined);
});

for (const include_usage of [true, false]) {
  test(`a stream has the same words, usage ${include_usage ? "as asked" : "left out"}, and an end`, async () => {
    const whole = (await (await post("/v1/chat/completions", { model: "m", messages })).json()) as Answer;
    const response = await post("/v1/chat/completions", {
      model: "m",
      messages,
      stream: true,
      stream_options: { include_usage },
    });
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    const events = (await response.text())
      .trim()
      .split("\n\n")
      .map((line) => line.replace(/^data: /, ""));
    assert.equal(events.pop(), "[DONE]");
    const chunks = events.map((event) => JSON.parse(event) as Answer);
    const text = chunks.map(({ choices }) => choices[0]?.delta?.content ?? "").join("");
    assert.equal(text, whole.choices[0]?.message?.content);
    assert.deepEqual(chunks.at(-1)?.usage, include_usage ? whole.usage : undefined);
    assert.equal(chunks.filter(({ choices }) => choices[0]?.finish_reason === "stop").length, 1);
  });
}

const cases = [
  { path: "/v1/completions", body: { model: "m", prompt: ["a", "b"] }, status: 200, says: /"text":"Hello/ },
  { path: "/v1/embeddings", body: { model: "m", input: ["a", "b"] }, status: 200, says: /"index":1/ },
  { path: "/v1/chat/completions", body: "{", status: 400, says: /the body is not JSON/ },
  { path: "/v1/other", body: {}, status: 404, says: /not served here/ },
];
for (const { path, body, status, says } of cases) {
  test(`POST ${path} answers ${status}`, async () => {
    const response = await post(path, body);
    assert.equal(response.status, status);
    assert.match(await response.text(), says);
  });
}

test("GET /v1/models lists the models", async () => {
  const response = await fetch(`http://127.0.0.1:${server.port}/v1/models`);
  const list = (await response.json()) as { data: { id: string }[] };
  assert.deepEqual(
    list.data.map(({ id }) => id),
    ["math-model"],
  );
});
