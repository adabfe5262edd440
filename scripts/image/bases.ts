import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

// What stands for the images that the Dockerfile begins with, where no registry and no engine are at hand.

export interface Base {
  /** Lays down what later steps copy from it or write to. */
  lay(tree: string): void;
  /** Whether its programs are those of this machine; else steps run in a room (room.ts). */
  readonly runsHere: boolean;
}

/**
 * `node:VERSION-bookworm-slim`: the Node.js that runs this, which must be that version. Its npm is this machine's.
 * `gcr.io/distroless/cc-debian12:nonroot`: libraries of this machine, brought in when something is run.
 * Any other image is an error: what it holds is not known here.
 */
export function baseOf(image: string): Base {
  const version = /^node:(\d+\.\d+\.\d+)-bookworm-slim$/.exec(image)?.[1];
  if (version !== undefined) {
    if (process.versions.node !== version)
      throw new Error(
        `the Dockerfile wants Node.js ${version} and this is ${process.versions.node}: keep NODE_VERSION and package.json in step`,
      );
    return { lay: layNode, runsHere: true };
  }
  if (image === "gcr.io/distroless/cc-debian12:nonroot") return { lay: layDistroless, runsHere: false };
  throw new Error(`nothing stands for the image ${image} here`);
}

function layNode(tree: string): void {
  const node = join(tree, "usr/local/bin/node");
  mkdirSync(dirname(node), { recursive: true });
  copyFileSync(process.execPath, node);
  chmodSync(node, 0o755);
  // npm's package of Node.js leaves its licence out; the image has it.
  const licence = join(dirname(dirname(process.execPath)), "LICENSE");
  if (existsSync(licence)) copyFileSync(licence, join(tree, "usr/local/LICENSE"));
  else writeFileSync(join(tree, "usr/local/LICENSE"), "https://github.com/nodejs/node/blob/main/LICENSE\n");
}

function layDistroless(tree: string): void {
  mkdirSync(join(tree, "tmp"));
  chmodSync(join(tree, "tmp"), 0o1777);
}

/** The folder of the Node.js that runs this, first on the PATH, so that npm runs on it too. */
export function pathWithNode(): string {
  const path = `${dirname(process.execPath)}:${process.env.PATH ?? ""}`;
  const npm = spawnSync("npm", ["--version"], { env: { ...process.env, PATH: path } });
  if (npm.status !== 0) throw new Error("npm is not on the PATH: install it");
  return path;
}
