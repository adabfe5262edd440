import { readFileSync } from "node:fs";

/** What a program or library for Linux asks of the machine that it is loaded on. */
export interface Needs {
  readonly arch: "amd64" | "arm64";
  /** Libraries that it is linked with, by the names that the loader looks for. */
  readonly libraries: readonly string[];
  /** The newest version of each family of symbols: `GLIBC` 2.28 is [2, 28]. */
  readonly versions: Readonly<Record<string, readonly number[]>>;
}

const machines: Readonly<Record<number, Needs["arch"]>> = { 62: "amd64", 183: "arm64" };
const dynamicSegment = 2;
const [needed, stringTable] = [1n, 5n];

/** Reads an ELF file of 64 bits, little-endian; undefined for anything else. */
export function readNeeds(file: string): Needs | undefined {
  const bytes = readFileSync(file);
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1)
    return undefined;
  const arch = machines[bytes.readUInt16LE(18)];
  if (arch === undefined) return undefined;
  const start = Number(bytes.readBigUInt64LE(32));
  const [size, count] = [bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  const segments = Array.from({ length: count }, (_, i) => {
    const at = start + i * size;
    const number = (offset: number) => Number(bytes.readBigUInt64LE(at + offset));
    return { type: bytes.readUInt32LE(at), offset: number(8), address: number(16), length: number(32) };
  });
  const dynamic = segments.find(({ type }) => type === dynamicSegment);
  if (dynamic === undefined) return { arch, libraries: [], versions: {} };
  const entries = Array.from({ length: dynamic.length / 16 }, (_, i) => {
    const at = dynamic.offset + i * 16;
    return { tag: bytes.readBigUInt64LE(at), value: Number(bytes.readBigUInt64LE(at + 8)) };
  });
  // The table is given by its address in memory.
  const address = entries.find(({ tag }) => tag === stringTable)?.value ?? 0;
  const home = segments.find(
    (one) => one.type === 1 && address >= one.address && address < one.address + one.length,
  );
  const strings = address - (home?.address ?? 0) + (home?.offset ?? 0);
  const stringAt = (offset: number) =>
    bytes.toString("latin1", strings + offset, bytes.indexOf(0, strings + offset));
  return {
    arch,
    libraries: entries.filter(({ tag }) => tag === needed).map(({ value }) => stringAt(value)),
    versions: newest(bytes.toString("latin1")),
  };
}

function newest(text: string): Record<string, readonly number[]> {
  const versions: Record<string, readonly number[]> = {};
  for (const [, family, version] of text.matchAll(/\b(GLIBC|GLIBCXX)_(\d+(?:\.\d+)+)\0/g)) {
    const numbers = version!.split(".").map(Number);
    if (isNewer(numbers, versions[family!] ?? [])) versions[family!] = numbers;
  }
  return versions;
}

/** Whether version `a` comes after version `b`. */
export function isNewer(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((number, i) => number !== (b[i] ?? -1));
  return at >= 0 && a[at]! > (b[at] ?? -1);
}
