import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { EncodeError, type Encoding, type Reading, type Wants } from "../../src/models/encode.ts";
import { type EncoderOptions, type ModelEncoder, startEncoder } from "../../src/models/encoder.ts";
import { sessionOptions } from "../../src/models/model.ts";
import { categoryModel } from "../support/onnx/own-set.ts";
import { ModelDirectory } from "../support/onnx/tiny-models.ts";

const ALL: Wants = { category: true, jailbreak: true, entities: true, embedding: true };
const one = (text: string): Reading => ({ texts: [text], focus: 0 });
const SMALL = one("hello");
/** Thousands of windows: nobody waits until they are all read. */
const HUGE = one("The museum opens at nine and closes at five. ".repeat(20_000));
const never = (): AbortSignal => new AbortController().signal;

async function using(
  options: EncoderOptions,
  action: (encoder: ModelEncoder) => Promise<void>,
): Promise<void> {
  const encoder = await startEncoder({ workers: 1, deadlineMs: 50_000, ...options });
  try {
    await action(encoder);
  } finally {
    await encoder.close();
  }
}

const refused = (reason: EncodeError["reason"]) => (error: unknown) =>
  error instanceof EncodeError && error.reason === reason;

/** The reason of a refusal, or "answered". */
const outcome = (call: Promise<Encoding>): Promise<string> =>
  call.then(
    () => "answered",
    (error: unknown) => (error instanceof EncodeError ? error.reason : String(error)),
  );

/** Without what differs from run to run. */
const result = ({ effort: _, ...encoding }: Encoding) => encoding;

describe("a pool of encoding threads", () => {
  it("answers many calls at once, each with its own", () =>
    using({ workers: 2 }, async (encoder) => {
      const readings = Array.from({ length: 40 }, (_, i) => one(`What is ${i} times ${i + 1}?`));
      const together = await Promise.all(readings.map((r) => encoder.encode(r, ALL, never())));
      for (const [i, reading] of readings.entries())
        assert.deepEqual(
          result(await encoder.encode(reading, ALL, never())),
          result(together[i]!),
          `call ${i}`,
        );
    }));

  it("refuses what exceeds the queue, and answers the rest", () =>
    using({ queueLimit: 3 }, async (encoder) => {
      const calls = Array.from({ length: 10 }, () => outcome(encoder.encode(SMALL, ALL, never())));
      const seen = await Promise.all(calls);
      // Two at the thread, three waiting.
      assert.deepEqual(seen, [...Array(5).fill("answered"), ...Array(5).fill("overloaded")]);
    }));

  it("refuses what exceeds 64 MB of waiting text, and what is small goes on", () =>
    using({}, async (encoder) => {
      const gone = new Error("caller went away");
      const control = new AbortController();
      // At two bytes a character 18 MB each. One is at the thread, three wait.
      const large = one("The museum opens at nine. ".repeat(360_000));
      const calls = Array.from({ length: 5 }, () => encoder.encode(large, ALL, control.signal));
      await assert.rejects(calls[4]!, refused("overloaded"));
      assert.equal(await outcome(encoder.encode(SMALL, ALL, never())), "answered");
      control.abort(gone);
      for (const call of calls.slice(0, 4)) await assert.rejects(call, gone);
      assert.equal(await outcome(encoder.encode(SMALL, ALL, never())), "answered");
    }));

  it("lets small ones pass, whatever a thread has of large ones", () =>
    using({}, async (encoder) => {
      const control = new AbortController();
      // 17 Mi characters and some more: more than a thread takes beside others.
      const large = [17 << 20, 1 << 20].map((size) =>
        outcome(encoder.encode(one("so ".repeat(size / 3)), ALL, control.signal)),
      );
      const small = ["hello", "What is the capital of France? ".repeat(50)];
      for (const text of small)
        assert.equal(await outcome(encoder.encode(one(text), ALL, never())), "answered");
      control.abort(new Error("caller went away"));
      assert.deepEqual(await Promise.all(large), Array(2).fill("Error: caller went away"));
    }));

  it("refuses what no thread has the memory for, though one is free; all else it has", () =>
    using({}, async (encoder) => {
      const most = 32 << 20;
      for (const texts of [["a".repeat(most)], Array<string>(most >> 5).fill("a")])
        await assert.rejects(
          encoder.encode({ texts, focus: 0 }, ALL, never()),
          refused("overloaded"),
          `${texts.length}`,
        );
      const filling: readonly (readonly string[])[] = [
        ["\u5ffd\u7565".repeat(most / 2 - 16)],
        Array.from({ length: (most >> 5) - 40_000 }, () => "a"),
      ];
      for (const texts of filling) {
        const control = new AbortController();
        const call = outcome(encoder.encode({ texts, focus: 0 }, ALL, control.signal));
        for (let i = 0; i < 3; i++)
          assert.equal(await outcome(encoder.encode(SMALL, ALL, never())), "answered");
        control.abort(new Error("caller went away"));
        assert.equal(await call, "Error: caller went away");
      }
    }));

  it("keeps its deadline, at the thread and in the queue, and works on", () =>
    using({ deadlineMs: 40, maxDeadlineMs: 40 }, async (encoder) => {
      const calls = Array.from({ length: 4 }, () => outcome(encoder.encode(HUGE, ALL, never())));
      assert.deepEqual(await Promise.all(calls), Array(4).fill("deadline"));
      // The thread drops what nobody waits for; how soon depends on the machine.
      for (let tries = 0; ; tries++) {
        const last = await outcome(encoder.encode(SMALL, ALL, never()));
        if (last === "answered") break;
        assert.ok(tries < 200, last);
      }
    }));

  it("honours an abort before, in the queue and at the thread", () =>
    using({}, async (encoder) => {
      const gone = new Error("caller went away");
      await assert.rejects(encoder.encode(SMALL, ALL, AbortSignal.abort(gone)), gone);
      const control = new AbortController();
      const calls = Array.from({ length: 4 }, () => encoder.encode(HUGE, ALL, control.signal));
      control.abort(gone);
      for (const call of calls) await assert.rejects(call, gone);
      assert.equal(await outcome(encoder.encode(SMALL, ALL, never())), "answered");
    }));

  it("stops between windows when nobody waits any more: then there is room for the next", () =>
    using({ queueLimit: 0 }, async (encoder) => {
      const huge = (control: AbortController) => outcome(encoder.encode(HUGE, ALL, control.signal));
      const control = new AbortController();
      const running = [huge(control), huge(control)];
      assert.equal(await huge(new AbortController()), "overloaded");
      control.abort(new Error("caller went away"));
      await Promise.all(running);
      assert.equal(await outcome(encoder.encode(SMALL, ALL, never())), "answered");
      const next = new AbortController();
      const call = huge(next);
      next.abort(new Error("taken"));
      assert.equal(await call, "Error: taken");
    }));

  it("lets the small pass the large, which goes on", () =>
    using({}, async (encoder) => {
      const control = new AbortController();
      const order: string[] = [];
      const large = one("The museum opens at nine and closes at five. ".repeat(60));
      const note = (name: string, reading: Reading) =>
        encoder.encode(reading, ALL, control.signal).then(
          () => order.push(name),
          () => order.push(`${name} aborted`),
        );
      const huge = [note("huge", HUGE), note("huge", HUGE)];
      const others = [note("large", large), note("small", SMALL), note("small", SMALL)];
      await Promise.all(others);
      assert.deepEqual(order, ["small", "small", "large"]);
      control.abort();
      await Promise.all(huge);
      assert.deepEqual(order.slice(3), ["huge aborted", "huge aborted"]);
    }));

  it("rejects the jobs of a thread that dies under load, restarts it and answers those that waited", () =>
    using({}, async (encoder) => {
      const running = [HUGE, HUGE, SMALL, SMALL].map((r) => outcome(encoder.encode(r, ALL, never())));
      const waiting = Array.from({ length: 20 }, () => outcome(encoder.encode(SMALL, ALL, never())));
      await encoder.kill();
      assert.deepEqual(await Promise.all(running), Array(4).fill("worker_died"));
      assert.deepEqual(await Promise.all(waiting), Array(20).fill("answered"));
    }));

  it("refuses with `closed` once closed, also what was under way", async () => {
    const encoder = await startEncoder({ workers: 2 });
    const running = [1, 2, 3, 4, 5, 6].map(() => outcome(encoder.encode(HUGE, ALL, never())));
    await encoder.close();
    assert.deepEqual(await Promise.all(running), Array(6).fill("closed"));
    await assert.rejects(encoder.encode(SMALL, ALL, never()), refused("closed"));
    await encoder.close();
  });

  it("is ready with its first worker; the others join it", () =>
    using({ workers: 3, queueLimit: 0 }, async (encoder) => {
      // Each takes two; nothing may wait.
      for (let tries = 0; ; tries++) {
        const calls = Array.from({ length: 6 }, () => outcome(encoder.encode(SMALL, ALL, never())));
        const seen = await Promise.all(calls);
        if (!seen.includes("overloaded")) break;
        assert.ok(tries < 2000, "six at a time are never taken");
      }
    }));
});

describe("a thread that is restarted", () => {
  const models = new URL("../../models/", import.meta.url);
  const flipped = (bytes: Buffer) => {
    bytes.writeUInt8(bytes.readUInt8(5_000_000) ^ 1, 5_000_000);
    return bytes;
  };
  const rows: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
    ["encoder.onnx", flipped],
    ["tokenizer.json", (bytes) => Buffer.concat([bytes, Buffer.from(" ")])],
  ];
  for (const [name, change] of rows)
    it(`serves nothing while its ${name} is another than at the start, and says so`, async () => {
      using dir = new ModelDirectory({});
      const files = ["encoder.onnx", "encoder.json", "tokenizer.json"];
      for (const file of files) dir.write(file, readFileSync(new URL(file, models)));
      const warned = Promise.withResolvers<string>();
      await using({ path: dir.path, deadlineMs: 1000, warn: warned.resolve }, async (encoder) => {
        dir.write(name, change(readFileSync(dir.at(name))));
        await encoder.kill();
        const call = outcome(encoder.encode(SMALL, ALL, never()));
        assert.match(
          await warned.promise,
          new RegExp(`${name} .*not the file of the start any more.*: restore`),
        );
        assert.equal(await call, "deadline");
        dir.write(name, readFileSync(new URL(name, models)));
        for (let tries = 0; (await outcome(encoder.encode(SMALL, ALL, never()))) !== "answered"; tries++)
          assert.ok(tries < 20, "it is never tried again");
      });
    });

  it("serves nothing while a model of the operator's own has other labels", async () => {
    using dir = categoryModel();
    const warned = Promise.withResolvers<string>();
    const own = [{ task: "category" as const, dir: dir.path }];
    await using({ own, deadlineMs: 1000, warn: warned.resolve }, async (encoder) => {
      dir.write("config.json", {
        model_type: "bert",
        id2label: { ...["gardening", "cooking", "sailing"] },
      });
      await encoder.kill();
      const call = outcome(encoder.encode(SMALL, ALL, never()));
      assert.match(await warned.promise, /not those of the start any more/);
      assert.equal(await call, "deadline");
    });
  });
});

describe("a process that exits in the middle of a window", () => {
  const statusOf = async (script: string, ...args: string[]) => {
    const path = fileURLToPath(new URL(`../support/${script}`, import.meta.url));
    const child = spawn(process.execPath, [path, ...args], { stdio: "ignore" });
    const [code] = await once(child, "exit");
    return code;
  };

  it("waits until the thread is out of it, and lets it into no other", async () => {
    assert.equal(await statusOf("exit-inside-gate.ts"), 11, "one begun, one ended");
  });

  it("has its own status", async () => {
    // Not every moment is a bad one.
    for (const ms of ["40", "90", "140"]) assert.equal(await statusOf("exit-mid-window.ts", ms), 7);
  });
});

describe("threads of one worker", () => {
  it("are as many as configured", { skip: !existsSync("/proc/self/task") }, async () => {
    const threads = () => readdirSync("/proc/self/task").length;
    const started = async (count: number) => {
      const before = threads();
      let after = 0;
      await using({ threads: count }, async () => {
        after = threads();
      });
      return after - before;
    };
    // Once for what Node starts for its first worker only.
    await started(1);
    assert.equal((await started(4)) - (await started(1)), 3);
  });

  it("wait for work without spinning", () => {
    assert.equal(sessionOptions(1).intraOpNumThreads, 1);
    const { intraOpNumThreads, extra } = sessionOptions(3);
    assert.equal(intraOpNumThreads, 3);
    assert.deepEqual(extra, { session: { intra_op: { allow_spinning: "0" } } });
  });
});
