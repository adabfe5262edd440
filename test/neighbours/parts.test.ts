import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { collector, ensurePart, jaeger } from "../../scripts/neighbours/parts.ts";

const folder = mkdtempSync(join(tmpdir(), "parts-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const quiet = () => {};

let made = 0;
/** A PATH with nothing on it but these shell scripts. */
function pathWith(programs: Readonly<Record<string, string>>): string {
  const path = join(folder, `path-${made++}`);
  mkdirSync(path);
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(path, name), 0o755);
  }
  return path;
}
const freshCache = () => join(folder, `cache-${made++}`);

/** A `go` that notes what it is asked for, and makes what is built. */
const module = join(folder, "module");
mkdirSync(module);
writeFileSync(join(module, "go.sum"), "sums");
const log = join(folder, "go.log");
const WORKS = `echo "$@" >> ${log}
case "$1 $2 $3" in
  "mod download -json") printf '{"Dir":"${module}","GoMod":"${module}/go.mod"}' ;;
  "mod edit -json") printf '{"Replace":[{"Old":{"Path":"a.test/x"},"New":{"Path":"b.test/x","Version":"v1.2.3"}}]}' ;;
  build*) printf x > jaeger; /bin/chmod 755 jaeger ;;
  run*) /bin/mkdir out; printf x > out/otelcol; /bin/chmod 755 out/otelcol ;;
esac`;

test("the variable decides, then the PATH", () => {
  const path = pathWith({ jaeger: "" });
  const own = join(pathWith({ mine: "" }), "mine");
  const cache = freshCache();
  assert.equal(ensurePart(jaeger, quiet, { env: { JAEGER_BIN: own, PATH: path }, cache }), own);
  assert.equal(ensurePart(jaeger, quiet, { env: { PATH: path }, cache }), join(path, "jaeger"));
  assert.ok(!existsSync(cache), "nothing was built");
});

test("a variable that names no program is told", () => {
  assert.throws(
    () => ensurePart(collector, quiet, { env: { OTELCOL_BIN: "/nowhere/otelcol" }, cache: freshCache() }),
    /^Error: OTELCOL_BIN names \/nowhere\/otelcol, which is not an executable file: correct it or unset it$/,
  );
});

for (const part of [jaeger, collector]) {
  test(`${part.name} is built once, and kept`, () => {
    const cache = freshCache();
    const built = ensurePart(part, quiet, { env: { PATH: pathWith({ go: WORKS }) }, cache });
    assert.ok(existsSync(built));
    assert.equal(ensurePart(part, quiet, { env: { PATH: pathWith({}) }, cache }), built);
    assert.deepEqual(readdirSync(cache), [`${part.name}-${part.version}`]);
  });

  const failures = [
    { name: "no Go", programs: {}, says: /is built with Go, which was not found: install Go/ },
    {
      name: "a build that fails",
      programs: { go: "echo noise >&2; echo no route to the proxy >&2; echo exit status 1 >&2; exit 1" },
      says: /^Error: go \w+ failed for \w+ \(no route to the proxy\): check the network, GOPROXY/,
    },
  ];
  for (const { name, programs, says } of failures) {
    test(`${part.name} with ${name}: one line with the remedy, and nothing left behind`, () => {
      const cache = freshCache();
      const attempt = () => ensurePart(part, quiet, { env: { PATH: pathWith(programs) }, cache });
      assert.throws(attempt, says);
      assert.throws(attempt, new RegExp(`or set ${part.variable} to it$`));
      assert.deepEqual(
        readdirSync(cache).filter((entry) => entry.startsWith("build-")),
        [],
      );
    });
  }
}

test("Jaeger is built with the modules that its authors replaced", () => {
  rmSync(log, { force: true });
  ensurePart(jaeger, quiet, { env: { PATH: pathWith({ go: WORKS }) }, cache: freshCache() });
  const asked = readFileSync(log, "utf8").trimEnd().split("\n");
  assert.ok(asked.some((line) => line.includes("-replace=a.test/x=b.test/x@v1.2.3")));
  assert.ok(asked.some((line) => line.startsWith("build") && line.endsWith("/cmd/jaeger")));
});
