import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { ensureHelm, HELM_VERSION } from "../../scripts/helm-binary.ts";
import { scratchFolder } from "../support/scratch.ts";

describe("which Helm is taken", () => {
  const { folder, put } = scratchFolder("helm-binary");
  const program = (path: string, text: string): string => {
    const file = put(path, `#!/bin/sh\n${text}\n`);
    chmodSync(file, 0o755);
    return file;
  };
  const three = program("three/helm", "echo v3.9.1");
  const four = program("four/helm", "echo v4.0.0");
  const two = program("two/helm", "echo v2.17.0");
  /** `go install` of a Helm that says v3. */
  const go = program("go/go", 'printf "#!/bin/sh\\necho v3.22" > "$GOBIN/helm"; chmod +x "$GOBIN/helm"');
  const ask = (env: NodeJS.ProcessEnv, cache = "cache") => {
    const lines: string[] = [];
    const PATH = [...(env.PATH ?? "").split(":"), "/usr/bin", "/bin"].join(":");
    return {
      path: ensureHelm((line) => lines.push(line), { env: { ...env, PATH }, cache: join(folder, cache) }),
      lines,
    };
  };

  test("HELM_BIN before the one on the PATH", () =>
    assert.equal(ask({ HELM_BIN: four, PATH: dirname(three) }).path, four));
  test("one on the PATH, of version 3 or 4", () => {
    assert.equal(ask({ PATH: dirname(three) }).path, three);
    assert.equal(ask({ PATH: dirname(four) }).path, four);
    assert.equal(ask({ PATH: `${dirname(two)}:${dirname(three)}` }).path, three);
  });
  test("else one that Go builds, once", () => {
    const built = ask({ PATH: dirname(go) });
    assert.equal(built.path, join(folder, "cache", HELM_VERSION, "helm"));
    assert.match(built.lines.join(), /building Helm/);
    assert.deepEqual(ask({ PATH: "/nowhere" }), { path: built.path, lines: [] });
  });

  const refused: readonly [name: string, env: NodeJS.ProcessEnv, says: RegExp][] = [
    ["HELM_BIN names nothing", { HELM_BIN: "/nowhere/helm" }, /HELM_BIN names \/nowhere\/helm.*unset it/],
    ["HELM_BIN names a Helm 2", { HELM_BIN: two }, /no Helm 3 or 4/],
    [
      "Go cannot build it",
      { PATH: dirname(program("bad/go", "echo no such host >&2; exit 1")) },
      /no such host.*check the network.*HELM_BIN/,
    ],
  ];
  for (const [name, env, says] of refused)
    test(`${name}: one line that says what to do`, () => {
      assert.throws(
        () => ask(env, "empty"),
        (error: Error) => says.test(error.message) && !error.message.includes("\n"),
      );
    });
});
