import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ensurePart, PARTS } from "../../scripts/kubernetes/parts.ts";
import { scratchFolder } from "../support/scratch.ts";

const { folder } = scratchFolder("kubernetes-parts");
const quiet = () => {};
let made = 0;

/** A folder with nothing in it but these shell scripts. */
function binFolder(programs: Readonly<Record<string, string>>): string {
  const path = join(folder, `bin-${made++}`);
  mkdirSync(path);
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(path, name), 0o755);
  }
  return path;
}
const freshCache = () => join(folder, `cache-${made++}`);

/** A `go` that notes what it is asked for, and makes what is built or installed. */
const log = join(folder, "go.log");
const WORKS = `echo "$@" >> ${log}
case "$1 $2 $3" in
  "mod download -json") printf '{"GoMod":"${folder}/go.mod"}' ;;
  "mod edit -json") printf '{"Go":"1.26.0","Replace":[{"Old":{"Path":"k8s.io/api"},"New":{"Path":"./staging/src/k8s.io/api"}}]}' ;;
  build*) for word in "$@"; do [ "$last" = -o ] && { printf x > "$word"; /bin/chmod 755 "$word"; }; last=$word; done ;;
  install*) for word in "$@"; do :; done; name=\${word%@*}; name=\${name##*/}; printf x > "$GOBIN/$name"; /bin/chmod 755 "$GOBIN/$name" ;;
esac`;
writeFileSync(join(folder, "go.mod"), "go 1.26.0\ngodebug default=go1.26\n");

test("KUBE_BIN_DIR decides, then the PATH; nothing is built then", () => {
  const [own, path] = [binFolder({ kwok: "" }), binFolder({ kwok: "" })];
  const cache = freshCache();
  assert.equal(
    ensurePart(PARTS.kwok, quiet, { env: { KUBE_BIN_DIR: own, PATH: path }, cache }),
    join(own, "kwok"),
  );
  assert.equal(ensurePart(PARTS.kwok, quiet, { env: { PATH: path }, cache }), join(path, "kwok"));
  assert.ok(!existsSync(cache));
});

test("an etcd that is too old is passed over", () => {
  const env = (version: string) => ({
    PATH: binFolder({ etcd: `echo "etcd Version: ${version}"`, go: WORKS }),
  });
  const found = (version: string) =>
    ensurePart(PARTS.etcd, quiet, { env: env(version), cache: freshCache() });
  assert.match(found("3.4.23"), /cache-.*etcd-3\.6/);
  assert.match(found("3.5.12"), /cache-/);
  for (const version of ["3.5.13", "3.6.0"]) assert.match(found(version), /bin-/);
});

for (const part of Object.values(PARTS)) {
  test(`${part.name} is built once, and kept`, () => {
    const cache = freshCache();
    const built = ensurePart(part, quiet, { env: { PATH: binFolder({ go: WORKS }) }, cache });
    assert.ok(existsSync(built));
    assert.equal(ensurePart(part, quiet, { env: { PATH: binFolder({}) }, cache }), built);
    assert.deepEqual(readdirSync(cache), [`${part.name}-${part.version}`]);
  });

  test(`${part.name} that cannot be built: one line with the remedy, and nothing left behind`, () => {
    const cache = freshCache();
    const attempt = (programs: Record<string, string>) => () =>
      ensurePart(part, quiet, { env: { PATH: binFolder(programs) }, cache });
    assert.throws(attempt({}), /is built with Go, which was not found.*KUBE_BIN_DIR names$/);
    assert.throws(
      attempt({ go: "echo no route >&2; exit 1" }),
      /\(no route\): check the network.*KUBE_BIN_DIR names$/,
    );
    assert.deepEqual(
      readdirSync(cache).filter((name) => name.startsWith("build-")),
      [],
    );
  });
}

test("Kubernetes is built with the published modules in place of its folders, and says its version", () => {
  writeFileSync(log, "");
  ensurePart(PARTS.apiserver, quiet, { env: { PATH: binFolder({ go: WORKS }) }, cache: freshCache() });
  const asked = readFileSync(log, "utf8");
  const { version } = PARTS.apiserver;
  assert.ok(asked.includes(`-replace=k8s.io/api=k8s.io/api@v0.${version.slice(2)}`), asked);
  assert.ok(asked.includes(`gitVersion=v${version}`), asked);
  assert.ok(asked.includes("-godebug=default=go1.26"), asked);
});
