import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { envoyMissing } from "../support/envoy.ts";
import { repoRoot } from "../support/repo.ts";
import { joined } from "./joined.ts";
import { pythonPackages } from "./python.ts";
import { protocols, startStage, variables } from "./stage.ts";

const CLIENT = join(repoRoot, "examples/opentelemetry/dummy_client.py");

test("the Python client's span is the top of the same tree, by both protocols, all parts told by the POC's variables", {
  skip: envoyMissing,
}, async (t) => {
  let packages: string;
  try {
    packages = pythonPackages();
  } catch (error) {
    // A missing part must not look like success where nobody reads the log.
    if (process.env.CI) throw error;
    const reason = (error as Error).message;
    process.stderr.write(`THE PYTHON CLIENT IS NOT TESTED: ${reason}\n`);
    t.skip(reason);
    return;
  }

  for (const protocol of protocols) {
    const stage = await startStage({ protocol, told: "variables" });
    try {
      const { stdout } = await promisify(execFile)(
        "python3",
        [CLIENT, "--url", stage.url, "--prompt", "Once upon a time"],
        { env: { ...process.env, ...variables(protocol, stage.receiver), PYTHONPATH: packages } },
      );
      assert.match(stdout, /^200 \{.*"text_completion"/m);
      assert.match(stdout, /"name": "client-span"/, "the span is shown on the console too");
      const span = await stage.receiver.waitForSpan(({ name }) => name === "client-span");
      const { client, llm, spans } = await joined(stage.receiver, span);
      assert.equal(client.attributes.prompt, "Once upon a time");
      assert.equal(client.scope.name, "dummy-client");
      assert.equal(client.resource["telemetry.sdk.language"], "python");
      assert.equal(spans.length, 10, "client, eight of the router as there is no cache, model server");
      assert.match(String(llm[0]?.attributes["gen_ai.request.id"]), /^cmpl-.+-0$/);
      for (const batch of stage.receiver.batches) assert.equal(batch.protocol, protocol);
    } finally {
      await stage.stop();
    }
  }
});
