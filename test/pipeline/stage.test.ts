import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EncodeError } from "../../src/models/encode.ts";
import { StageFault } from "../../src/outcome.ts";
import { orElse, stage, together } from "../../src/pipeline/stage.ts";
import { newTrace, onlySpan } from "../support/pipeline.ts";

describe("stage", () => {
  test("opens the span, gives it to the work, ends it after the work", async () => {
    const at = newTrace();
    let during = -1;
    const result = await stage(at, "one", async (span) => {
      await new Promise(setImmediate);
      during = span.endMs;
      span.set("a", 1);
      return "done";
    });
    assert.equal(result, "done");
    assert.equal(during, 0, "still open while the work runs");
    const { span, attributes } = onlySpan(at);
    assert.deepEqual(
      [span.name, span.kind, span.error, attributes],
      ["one", "internal", undefined, { a: 1 }],
    );
  });

  const gone = new DOMException("secret", "AbortError");
  const failures: readonly [string, unknown, string][] = [
    ["a fault of ours", new TypeError("secret"), "TypeError"],
    ["a stage that refuses", new StageFault("x", "deadline"), "deadline"],
    ["an encoder", new EncodeError("worker_died", "secret"), "worker_died"],
    ["a client that has gone", gone, "aborted"],
    ["another DOMException", new DOMException("secret", "DataError"), "DataError"],
    ["no error at all", "secret", "unknown"],
  ];
  for (const [name, error, cause] of failures) {
    test(`${name} ends the span as ${cause}, without its message, and travels on`, async () => {
      const works: readonly (() => never | Promise<never>)[] = [
        () => {
          throw error;
        },
        () => Promise.reject(error),
      ];
      for (const work of works) {
        const at = newTrace();
        await assert.rejects(
          async () => stage(at, "one", work),
          (thrown) => thrown === error,
        );
        const { span, attributes } = onlySpan(at);
        assert.equal(span.error, cause);
        assert.deepEqual(attributes, { "error.type": cause });
      }
    });
  }
});

describe("orElse", () => {
  const error = new EncodeError("deadline", "secret");
  const handle = (onError: "allow" | "refuse", thrown: unknown) => {
    const at = newTrace();
    return stage(at, "one", (span) => orElse("guard", onError, "fallback", span)(thrown));
  };
  test("allow: the fallback", () => assert.equal(handle("allow", error), "fallback"));
  test("refuse: a fault that names stage and reason", () => {
    assert.throws(() => handle("refuse", error), { name: "StageFault", message: "guard: deadline" });
  });
  test("what is no failure of the model is nobody's to allow", () => {
    for (const other of [
      new TypeError("bug"),
      new StageFault("x", "y"),
      new DOMException("gone", "AbortError"),
    ]) {
      for (const onError of ["allow", "refuse"] as const) {
        assert.throws(
          () => handle(onError, other),
          (thrown) => thrown === other,
        );
      }
    }
  });
});

describe("together", () => {
  test("gives all results in their order", async () => {
    const slow = new Promise<string>((resolve) => setImmediate(() => resolve("slow")));
    assert.deepEqual(await together([slow, Promise.resolve(2)]), ["slow", 2]);
  });

  test("waits for all before it fails, with the first in order", async () => {
    const at = newTrace();
    const first = new Error("first");
    let open: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const late = stage(at, "late", async () => {
      await gate;
      throw first;
    });
    const work = together([late, Promise.reject(new Error("second"))]);
    let settled = false;
    const watched = work.catch((error: Error) => {
      settled = true;
      return error;
    });
    await new Promise(setImmediate);
    assert.equal(settled, false, "the late stage is still open");
    open?.();
    assert.equal(await watched, first);
    assert.ok(onlySpan(at).span.endMs > 0);
  });
});
