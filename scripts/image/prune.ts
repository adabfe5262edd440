import { lstatSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";

// node scripts/image/prune.ts node_modules amd64: removes from the installed packages what the processor never loads.
// A step of the Dockerfile, so it uses nothing but Node.js.

/** ONNX Runtime's names for the architectures that Docker names otherwise. */
const architectures: Readonly<Record<string, string>> = { amd64: "x64", arm64: "arm64" };

/** Its package has libraries for every platform, some 250 MB; and a script that would fetch more. */
const onnx = (arch: string): RegExp =>
  new RegExp(
    `^onnxruntime-node/(?:lib|script|bin/(?!napi-v\\d+/linux/${arch}/(?:libonnxruntime\\.so\\.1|onnxruntime_binding\\.node)$))`,
  );

/** What a program reads at run time, and licences. */
const used = /\.(?:js|cjs|mjs|json|proto|node|so\.1)$|(?:^|\/)(?:LICEN[CS]E|NOTICE|COPYING)[^/]*$/i;

/** Paths below node_modules, scopes and nested node_modules included. */
const unused: readonly RegExp[] = [
  // Settings of tools, and the names of commands: the processor starts none.
  /(?:^|\/)\./,
  // Tests and examples of a package, never deeper: `doc` in `yaml/dist` is code.
  /^(?:@[^/]+\/)?[^/]+\/(?:tests?|__tests__|examples?|bench|benchmarks?|docs?|coverage)\//,
  // The same code once more, for bundlers and browsers.
  /^@opentelemetry\/[^/]+\/(?:.*\/)?build\/(?:esm|esnext)\//,
  /^libphonenumber-js\/(?:bundle|es6|es6-modern|source|mobile|max)\//,
  /^libphonenumber-js\/(?:examples|metadata\.(?:full|max|mobile))[^/]*$/,
  /^protobufjs\/(?:dist|cli|bin)\//,
];

/** Whether the file at this path below node_modules is of no use in an image for that architecture. */
export function isUnused(path: string, arch: string): boolean {
  return !used.test(path) || onnx(arch).test(path) || unused.some((pattern) => pattern.test(path));
}

/** Removes what is unused, and folders that are empty then. Returns the bytes that remain. */
export function prune(folder: string, arch: string): number {
  let bytes = 0;
  const visit = (path: string): void => {
    for (const entry of readdirSync(join(folder, path), { withFileTypes: true })) {
      const child = path === "" ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory()) visit(child);
      else if (isUnused(child, arch)) rmSync(join(folder, child));
      else bytes += lstatSync(join(folder, child)).size;
    }
    if (path !== "" && readdirSync(join(folder, path)).length === 0) rmdirSync(join(folder, path));
  };
  visit("");
  return bytes;
}

if (import.meta.main) {
  const [folder, target = ""] = process.argv.slice(2);
  const arch = architectures[target];
  if (folder === undefined || arch === undefined) {
    console.error(
      `prune.ts FOLDER ${Object.keys(architectures).join("|")}: no ONNX Runtime for linux/"${target}"; build with BuildKit, for linux/amd64 or linux/arm64`,
    );
    process.exit(1);
  }
  console.log(`${(prune(folder, arch) / 1e6).toFixed(1)} MB of packages remain for linux/${target}`);
}
