import assert from "node:assert/strict";
import { lstatSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Architecture, buildImage, hostArch } from "../../scripts/image/build.ts";
import { below } from "../../scripts/image/context.ts";
import { isNewer, readNeeds } from "../../scripts/image/elf.ts";
import { prune } from "../../scripts/image/prune.ts";
import { filesUnder } from "../support/repo.ts";
import { scratchFolder } from "../support/scratch.ts";
import { containerMissing, theImage } from "./container.ts";

const limit = 250e6;
/** Of gcr.io/distroless/cc-debian12, not measured: nodejs22-debian12, that and Node.js of 117 MB, is listed with 141 MB. */
const baseSize = 25e6;
/** Of Debian 12, which the base image is made of. */
const base = {
  libraries: /^(?:ld-linux-(?:x86-64|aarch64)\.so\.[12]|lib(?:c|m|dl|rt|pthread|stdc\+\+|gcc_s)\.so\.\d)$/,
  versions: { GLIBC: [2, 36], GLIBCXX: [3, 4, 30] } as Readonly<Record<string, readonly number[]>>,
};
const { put, folder } = scratchFolder("image-files");

describe("the files of the image", { skip: containerMissing }, () => {
  test("are those of this list, and no others", () => {
    const allowed: readonly RegExp[] = [
      /^usr\/local\/bin\/node$/,
      /^usr\/local\/share\/doc\/node\/LICENSE$/,
      /^app\/(?:LICENSE|package\.json|envoy\/envoy\.yaml)$/,
      /^app\/models\/(?:README\.md|encoder\.json|encoder\.onnx|tokenizer\.json)$/,
      /^app\/proto\/.*\.proto$/,
      /^app\/dist\/.*\.js$/,
      /^app\/compiled\/v[^/]+\/[0-9a-f]{8}$/,
      /^app\/node_modules\/(?:.*\/)?(?:LICEN[CS]E|NOTICE|COPYING)[^/]*$/i,
      /^app\/node_modules\/.*\.(?:js|cjs|mjs|json|proto|node|so\.1)$/,
    ];
    const { tree } = theImage();
    const others = below(tree, "").filter((path) => !allowed.some((pattern) => pattern.test(path)));
    assert.deepEqual(others, []);
    assert.deepEqual(
      below(tree, "app/dist")
        .map((path) => path.slice("app/dist/".length, -".js".length))
        .sort(),
      filesUnder("src", /\.ts$/)
        .map((path) => path.slice("src/".length, -".ts".length))
        .sort(),
    );
  });

  test("with the base image they have at most 250 MB", (t) => {
    const { bytes } = theImage();
    t.diagnostic(`${(bytes / 1e6).toFixed(1)} MB in the folder, and a base of ${baseSize / 1e6} MB`);
    assert.ok(bytes > 150e6, "Node.js, ONNX Runtime and the model are in it");
    assert.ok(bytes + baseSize <= limit, `${bytes}`);
  });

  test("nobody but root could change them, but for what Node.js compiled", () => {
    const { tree } = theImage();
    const open = below(tree, "app").filter((path) => {
      const { uid, mode } = lstatSync(join(tree, path));
      return (uid !== 0 || (mode & 0o022) !== 0) && !path.startsWith("app/compiled/");
    });
    assert.deepEqual(open, []);
  });
});

describe("the packages of the image", () => {
  const lock = JSON.parse(readFileSync(join(import.meta.dirname, "../../package-lock.json"), "utf8")) as {
    packages: Record<string, { dev?: boolean }>;
  };
  for (const arch of ["amd64", "arm64"] as const satisfies readonly Architecture[]) {
    // The same steps for every target: they run on the machine that builds.
    const packages = () =>
      buildImage((line) => process.stderr.write(`${line}\n`), { arch, target: "packages" }).tree;

    test(`for ${arch}: ONNX Runtime's library for it alone, and nothing that the base lacks`, () => {
      const tree = packages();
      const binaries = below(tree, "app/node_modules").filter((path) =>
        /\.(?:node|so[.\d]*|dll|dylib|exe)$/.test(path),
      );
      const home = `app/node_modules/onnxruntime-node/bin/napi-v6/linux/${arch === "amd64" ? "x64" : arch}`;
      assert.deepEqual(binaries, [`${home}/libonnxruntime.so.1`, `${home}/onnxruntime_binding.node`]);
      for (const path of binaries) checkNeeds(join(tree, path), arch, ["libonnxruntime.so.1"]);
    });

    test(`for ${arch}: no development package, no types, no source maps`, () => {
      const tree = packages();
      const files = below(tree, "app/node_modules");
      assert.deepEqual(
        files.filter((path) => /\.(?:[cm]?ts|map|md)$/i.test(path) && !/licen[cs]e/i.test(path)),
        [],
      );
      const dev = Object.entries(lock.packages)
        .filter(([, { dev }]) => dev)
        .map(([path]) => `app/${path}/`);
      assert.ok(dev.length > 5);
      assert.deepEqual(
        files.filter((path) => dev.some((one) => path.startsWith(one))),
        [],
      );
    });
  }

  test(`Node.js for ${hostArch} needs nothing that the base lacks`, () =>
    checkNeeds(process.execPath, hostArch, []));

  test("code that looks like documentation stays, and licences do", () => {
    const kept = [
      "yaml/dist/doc/Document.js",
      "yaml/LICENSE",
      "pino/LICENSE.md",
      "@a/b/build/src/index.js",
      "a/package.json",
    ];
    const gone = [
      "yaml/README.md",
      "a/test/x.js",
      "@a/b/examples/x.js",
      "a/index.d.ts",
      "a/b.js.map",
      ".bin/x",
      "a/.npmignore",
    ];
    const other = [
      "onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so",
      "onnxruntime-node/script/install.js",
    ];
    for (const path of [...kept, ...gone, ...other]) put(`modules/${path}`, "1");
    mkdirSync(join(folder, "modules/empty/in/depth"), { recursive: true });
    assert.equal(prune(join(folder, "modules"), "x64"), kept.length);
    assert.deepEqual(below(join(folder, "modules"), ""), kept.toSorted());
    assert.equal(lstatSync(join(folder, "modules/empty"), { throwIfNoEntry: false }), undefined);
  });
});

function checkNeeds(file: string, arch: Architecture, ownLibraries: readonly string[]): void {
  const needs = readNeeds(file);
  assert.ok(needs, `${file} is no program for Linux`);
  assert.equal(needs.arch, arch);
  assert.ok(needs.libraries.includes("libc.so.6"), "the reader finds libraries");
  assert.deepEqual(
    needs.libraries.filter((name) => !base.libraries.test(name) && !ownLibraries.includes(name)),
    [],
  );
  assert.ok(needs.versions.GLIBC, "the reader finds versions");
  for (const [family, version] of Object.entries(needs.versions))
    assert.ok(!isNewer(version, base.versions[family]!), `${file} needs ${family} ${version.join(".")}`);
}
