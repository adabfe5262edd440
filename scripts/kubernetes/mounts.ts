import { existsSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

let written = 0;

/**
 * Writes a ConfigMap's (or Secret's) files as a kubelet does: into a new folder, to which the link `..data` then turns
 * in one step. Called again for the same folder it is the update that a pod sees, and the older files go.
 */
export function mountFiles(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true });
  const data = join(folder, "..data");
  const before = existsSync(data) ? readlinkSync(data) : undefined;
  const version = `..v${process.pid}_${written++}`;
  mkdirSync(join(folder, version));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, version, name), text);
  symlinkSync(version, join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), data);
  for (const name of Object.keys(files)) {
    if (!existsSync(join(folder, name))) symlinkSync(join("..data", name), join(folder, name));
  }
  if (before) rmSync(join(folder, before), { recursive: true });
}
