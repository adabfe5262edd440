import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { below } from "./context.ts";

// A program in the file tree of an image, as a container engine would run it: nothing of this machine is to be seen but
// what the base image has (the C library and its like), as an ordinary user, without rights, first of its processes.

export interface Room {
  /** The files of the image, without those of its base. */
  readonly tree: string;
  /** `uid:gid`. */
  readonly user: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Into the tree, too; default: nothing can be written anywhere. */
  readonly writable?: boolean;
  /** Files and folders of this machine, read-only, by their path inside. */
  readonly mounts?: Readonly<Record<string, string>>;
}

/** Why no program can be run so here; false where it can. */
export const roomMissing: string | false = (() => {
  if (process.platform !== "linux") return "it needs the namespaces of Linux";
  if (process.getuid?.() !== 0) return "it needs root, for a root directory and a user of its own";
  const tried = spawnSync("unshare", ["--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
  const enough = tried.status === 0 && spawnSync("setpriv", ["--version"]).status === 0;
  return enough ? false : "unshare, mount and setpriv of util-linux do not work here";
})();

/** The root directory is put together here: each room sees its own, and all others an empty folder. */
const ROOM = join(import.meta.dirname, "..", "..", ".cache", "room");

/** What the base image has beside libraries: certificates, names. Taken from this machine where it is there. */
const baseFiles = ["/etc/ssl/certs", "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/services"];
const devices = ["null", "zero", "random", "urandom"];

/** The environment to run `intoRoom`'s words with. */
export const roomEnv = (room: Room): Record<string, string> => ({
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/home/nonroot",
  ...room.env,
});

/** The words that run the command in the room, to be started with `roomEnv` alone. Their exit code is the command's. */
export function intoRoom(room: Room, command: readonly string[]): readonly [string, ...string[]] {
  mkdirSync(ROOM, { recursive: true });
  const [uid = "", gid = uid] = room.user.split(":");
  return [
    ...(["unshare", "--mount", "--pid", "--fork", "/bin/sh", "-euc", script(room), "room"] as const),
    ...["setpriv", "--no-new-privs", "unshare", `--root=${ROOM}`, `--wd=${room.workdir}`],
    ...[`--setgid=${gid}`, `--setuid=${uid}`, "--", ...command],
  ];
}

function script(room: Room): string {
  const at = (path: string): string => quote(`${ROOM}${path}`);
  const lines = [`mount -t tmpfs -o mode=755 tmpfs ${at("")}`];
  const bind = (from: string, to: string, readOnly: boolean): void => {
    const real = realpathSync(from);
    lines.push(
      lstatSync(real).isDirectory()
        ? `mkdir -p ${at(to)}`
        : `mkdir -p ${at(dirname(to))}; [ -e ${at(to)} ] || touch ${at(to)}`,
      `mount --bind ${quote(real)} ${at(to)}`,
    );
    if (readOnly) lines.push(`mount -o remount,bind,ro ${at(to)}`);
  };
  for (const name of readdirSync(room.tree)) bind(join(room.tree, name), `/${name}`, !room.writable);
  for (const library of libraries(room.tree)) bind(library, library.replace(/^\/usr\/lib/, "/lib"), true);
  for (const file of baseFiles.filter(existsSync)) bind(file, file, true);
  for (const name of devices) bind(`/dev/${name}`, `/dev/${name}`, false);
  bind("/sys", "/sys", true);
  for (const [to, from] of Object.entries(room.mounts ?? {})) bind(from, to, true);
  lines.push(
    `mkdir -p ${at("/proc")} ${at("/tmp")} ${at("/home/nonroot")}`,
    `echo 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' > ${at("/etc/passwd")}`,
    `mount -t proc proc ${at("/proc")}`,
  );
  if (!room.writable) lines.push(`mount -o remount,ro ${at("")}`);
  lines.push('exec "$@"');
  return lines.join("\n");
}

const quote = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;

/** The libraries of this machine that the tree's programs and libraries are linked with. */
function libraries(tree: string): string[] {
  const linked = below(tree, "").filter((path) => /\.(?:node|so(?:\.\d+)*)$|(?:^|\/)bin\/node$/.test(path));
  const said = spawnSync(
    "ldd",
    linked.map((path) => join(tree, path)),
    { encoding: "utf8" },
  ).stdout;
  const paths = [...said.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, path]) => path!);
  return [...new Set(paths)].filter((path) => !path.startsWith(tree));
}

/** The process that the room's words began with and that is number 1 within. */
export function firstProcess(pid: number): number | undefined {
  const children = `/proc/${pid}/task/${pid}/children`;
  const [child] = existsSync(children) ? readFileSync(children, "utf8").trim().split(" ") : [];
  return child ? Number(child) : undefined;
}
