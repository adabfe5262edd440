import { readChat } from "./chat/request.ts";
import type { Config } from "./config/schema.ts";
import type { Encoder, Encoding } from "./models/encode.ts";
import { endpointHealth } from "./pipeline/endpoint-health.ts";
import { buildPipeline } from "./pipeline.ts";
import { Trace } from "./telemetry/trace.ts";

const question = "Is this configuration in order?";
const asker = { path: "/v1/chat/completions", tenant: undefined };
const effort = {
  tokens: 0,
  windows: 0,
  remembered: 0,
  passMs: 0,
  headMs: { category: 0, jailbreak: 0, entities: 0, embedding: 0 },
  entitiesLeftOut: 0,
};

/**
 * Sends one question for each label of the model through the stages of a configuration that is not in force yet. The model
 * is not asked, so the test does not wait behind requests: each label is taken to be certain. Rejects with what a stage
 * throws, and the label.
 */
export async function selfTest(config: Config, { labels, dims, fingerprint }: Encoder): Promise<void> {
  const body = { model: config.auto_model_name, messages: [{ role: "user", content: question }] };
  const read = readChat(Buffer.from(JSON.stringify(body)), "chat");
  if (read.kind !== "chat")
    throw new Error("the configuration's self-test sent a request that cannot be read");
  const waiting = { signal: new AbortController().signal };
  let certain = -1;
  const encode = async (): Promise<Encoding> => ({
    embedding: new Float32Array(dims),
    category: Float32Array.from(labels, (_, i) => (i === certain ? 1 : 0)),
    jailbreak: 0,
    entities: [[]],
    effort,
  });
  const encoder = { encode, labels, dims, fingerprint, close: async () => {} };
  // Its own health: what the test does to an endpoint that it chose is nobody's business.
  const pipeline = buildPipeline(config, { encoder, cache: undefined, health: endpointHealth() });
  for (const label of labels) {
    certain += 1;
    const at = new Trace("self-test", { traceId: "1".repeat(32), flags: 0, state: "", propagates: false });
    try {
      const outcome = await pipeline(read.chat, asker, at, waiting);
      if (outcome.kind === "forward") outcome.upstream.end(false);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`its self-test failed for the category "${label}": ${why}`, { cause: error });
    }
  }
}
