import assert from "node:assert/strict";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { EncodeError, type Encoding, type Wants } from "../../src/models/encode.ts";
import { type EncoderOptions, type ModelEncoder, startEncoder } from "../../src/models/encoder.ts";

const ALL: Wants = { category: true, jailbreak: true, entities: true, embedding: true };
const SLOW = "The museum opens at nine and closes at five. ".repeat(20_000);
const never = (): AbortSignal => new AbortController().signal;

async function using(
  options: EncoderOptions,
  action: (encoder: ModelEncoder) => Promise<void>,
): Promise<void> {
  const encoder = await startEncoder(options);
  try {
    await action(encoder);
  } finally {
    await encoder.close();
  }
}

const refused = (reason: EncodeError["reason"]) => (error: unknown) =>
  error instanceof EncodeError && error.reason === reason;

/** The reason of a refusal, or "answered". */
const outcome = (call: Promise<readonly Encoding[]>): Promise<string> =>
  call.then(
    () => "answered",
    (error: unknown) => (error instanceof EncodeError ? error.reason : String(error)),
  );

describe("a pool of encoding threads", () => {
  it("answers many calls at once, each with its own", () =>
    using({ workers: 2 }, async (encoder) => {
      const texts = Array.from({ length: 60 }, (_, i) => `What is ${i} times ${i + 1}?`);
      const all = await Promise.all(texts.map((t) => encoder.encode([t], ALL, never())));
      const again = await encoder.encode(texts, ALL, never());
      assert.deepEqual(
        all.map((one) => one[0]),
        [...again],
      );
    }));

  it("refuses what exceeds the queue, and answers the rest", () =>
    using({ queueLimit: 3, deadlineMs: 30_000 }, async (encoder) => {
      const calls = Array.from({ length: 10 }, () => outcome(encoder.encode(["hello"], ALL, never())));
      const seen = await Promise.all(calls);
      // Two at the thread, three waiting.
      assert.deepEqual(seen, [...Array(5).fill("answered"), ...Array(5).fill("overloaded")]);
    }));

  it("keeps its deadline, at the thread and in the queue, and works on", () =>
    using({ deadlineMs: 40 }, async (encoder) => {
      const calls = [SLOW, SLOW, SLOW, SLOW].map((t) => outcome(encoder.encode([t], ALL, never())));
      assert.deepEqual(await Promise.all(calls), Array(4).fill("deadline"));
      // The thread drops what nobody waits for; how soon depends on the machine.
      for (let tries = 0; ; tries++) {
        const last = await outcome(encoder.encode(["hello"], ALL, never()));
        if (last === "answered") break;
        assert.ok(tries < 200, last);
      }
    }));

  it("honours an abort before, in the queue and at the thread", () =>
    using({ deadlineMs: 30_000 }, async (encoder) => {
      const gone = new Error("caller went away");
      await assert.rejects(encoder.encode(["hello"], ALL, AbortSignal.abort(gone)), gone);
      const control = new AbortController();
      const calls = [SLOW, SLOW, SLOW, SLOW].map((t) => encoder.encode([t], ALL, control.signal));
      const other = encoder.encode(["hello"], ALL, never());
      control.abort(gone);
      for (const call of calls) await assert.rejects(call, gone);
      assert.equal((await other).length, 1);
    }));

  it("rejects the jobs of a thread that dies, and restarts it", () =>
    using({ deadlineMs: 30_000 }, async (encoder) => {
      const running = encoder.encode([SLOW], ALL, never());
      const dead = assert.rejects(running, refused("worker_died"));
      await encoder.kill();
      await dead;
      assert.equal((await encoder.encode(["hello"], ALL, never())).length, 1);
    }));

  it("refuses with `closed` once closed, also what was under way", async () => {
    const encoder = await startEncoder();
    const running = [1, 2, 3, 4].map(() => outcome(encoder.encode([SLOW], ALL, never())));
    await encoder.close();
    assert.deepEqual(await Promise.all(running), Array(4).fill("closed"));
    await assert.rejects(encoder.encode(["hello"], ALL, never()), refused("closed"));
    await encoder.close();
  });
});

describe("model files that do not do", () => {
  let dir: string;
  const models = new URL("../../models/", import.meta.url);
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "encoder-"));
  });
  after(() => rm(dir, { recursive: true }));

  async function files(change: (onnx: Buffer, about: Record<string, unknown>) => void): Promise<string> {
    await copyFile(new URL("encoder.onnx", models), join(dir, "encoder.onnx"));
    const onnx = await readFile(join(dir, "encoder.onnx"));
    const about = JSON.parse(await readFile(new URL("encoder.json", models), "utf8"));
    change(onnx, about);
    await writeFile(join(dir, "encoder.onnx"), onnx);
    await writeFile(join(dir, "encoder.json"), JSON.stringify(about));
    return dir;
  }

  it("missing directory", () =>
    assert.rejects(
      startEncoder({ path: join(dir, "none") }),
      /encoder\.json cannot be read \(ENOENT\): restore/,
    ));

  it("flipped byte", async () => {
    const path = await files((onnx) => onnx.writeUInt8(onnx.readUInt8(5_000_000) ^ 1, 5_000_000));
    await assert.rejects(startEncoder({ path }), /encoder\.onnx is not the file that .*: restore/);
  });

  it("not JSON", async () => {
    const path = await files(() => {});
    await writeFile(join(path, "encoder.json"), "{");
    await assert.rejects(startEncoder({ path }), /encoder\.json is not valid JSON: restore/);
  });

  it("fields missing", async () => {
    const path = await files((_, about) => delete about.labels);
    await assert.rejects(startEncoder({ path }), /encoder\.json lacks fields/);
  });

  it("another format", async () => {
    const path = await files((_, about) => Object.assign(about, { format: 99 }));
    await assert.rejects(startEncoder({ path }), /encoder\.json was made for another version/);
  });

  it("no graph, with a digest that fits", async () => {
    const { createHash } = await import("node:crypto");
    const path = await files((onnx, about) => {
      onnx.fill(0);
      Object.assign(about, { sha256: createHash("sha256").update(onnx).digest("hex") });
    });
    await assert.rejects(startEncoder({ path }), /encoder\.onnx cannot be loaded/);
  });

  it("another model's self-test", async () => {
    const path = await files((_, about) => {
      const [first] = about.self_test as { jailbreak: number }[];
      if (first) first.jailbreak = 0.9;
    });
    await assert.rejects(startEncoder({ path }), /failed self-test 1/);
  });
});
