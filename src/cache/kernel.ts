// The inner loop of the cache: dot products over 128-bit lanes, eight times as fast as the same loop in JavaScript.
// It is written out as WebAssembly instructions, as it is too small to be worth a compiler.

/** Of the memory, for the kernel's own use: the best similarity stands in its first four bytes. */
export const RESERVED_BYTES = 64;
/** Rows and the query are padded with zeros to a multiple of this. */
export const ROW_ALIGNMENT = 64;

/**
 * Among the rows `rows + slots[i] * stride` (i < count) the `i` whose dot product with the query is the greatest,
 * the first of equals; -1 when there are none. All arguments are byte addresses or byte lengths, save `count`.
 */
export type Scan = (query: number, rows: number, slots: number, count: number, stride: number) => number;

// Parameters, in the order of `Scan`, then locals.
const [QUERY, ROWS, SLOTS, COUNT, STRIDE] = [0, 1, 2, 3, 4];
const [I, BEST, ROW, AT, END] = [5, 6, 7, 8, 9];
const [SCORE, TOP] = [10, 11];
const SUMS = [12, 13, 14, 15];
const SUM = 12;

const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const SIXTY_FOUR = [0x41, 0xc0, 0x00];
const [ADD, MUL, SHL] = [[0x6a], [0x6c], [0x74]];
const [F32_ADD, F32_GT] = [[0x92], [0x5e]];
const [F32X4_ADD, F32X4_MUL] = [
  [0xfd, 0xe4, 0x01],
  [0xfd, 0xe6, 0x01],
];
const loadLanes = (offset: number) => [0xfd, 0x00, 0x04, offset];
const lane = (index: number) => [...get(SUM), 0xfd, 0x1f, index];
const BLOCK = [0x02, 0x40];
const LOOP = [0x03, 0x40];
const IF = [0x04, 0x40];
const END_BLOCK = [0x0b];
const branch = (depth: number) => [0x0c, depth];
const branchIf = (depth: number) => [0x0d, depth];

const code = [
  ...[0x41, 0x7f, ...set(BEST)], // best = -1
  ...[0x43, 0x00, 0x00, 0x80, 0xff, ...set(TOP)], // top = -Infinity
  ...[...get(QUERY), ...get(STRIDE), ...ADD, ...set(END)],
  ...BLOCK,
  ...LOOP,
  ...[...get(I), ...get(COUNT), 0x4f, ...branchIf(1)], // while i < count
  // row = rows + slots[i] * stride
  ...[...get(ROWS), ...get(SLOTS), ...get(I), 0x41, 0x02, ...SHL, ...ADD, 0x28, 0x02, 0x00],
  ...[...get(STRIDE), ...MUL, ...ADD, ...set(ROW)],
  ...[...get(QUERY), ...set(AT)],
  ...SUMS.flatMap((sum) => [0xfd, 0x0c, ...Array<number>(16).fill(0), ...set(sum)]),
  ...LOOP, // four sums of four lanes each, so that no addition waits for the one before
  ...SUMS.flatMap((sum, part) => [
    ...[...get(sum), ...get(AT), ...loadLanes(part * 16), ...get(ROW), ...loadLanes(part * 16)],
    ...[...F32X4_MUL, ...F32X4_ADD, ...set(sum)],
  ]),
  ...[...get(ROW), ...SIXTY_FOUR, ...ADD, ...set(ROW)],
  ...[...get(AT), ...SIXTY_FOUR, ...ADD, ...set(AT)],
  ...[...get(AT), ...get(END), 0x49, ...branchIf(0)], // while at < end
  ...END_BLOCK,
  ...[...get(12), ...get(13), ...F32X4_ADD, ...get(14), ...get(15), ...F32X4_ADD, ...F32X4_ADD, ...set(SUM)],
  ...[...lane(0), ...lane(1), ...F32_ADD, ...lane(2), ...lane(3), ...F32_ADD, ...F32_ADD, ...set(SCORE)],
  ...[...get(SCORE), ...get(TOP), ...F32_GT, ...IF],
  ...[...get(SCORE), ...set(TOP), ...get(I), ...set(BEST), ...END_BLOCK],
  ...[...get(I), 0x41, 0x01, ...ADD, ...set(I), ...branch(0)],
  ...END_BLOCK,
  ...END_BLOCK,
  ...[0x41, 0x00, ...get(TOP), 0x38, 0x02, 0x00], // memory[0] = top
  ...get(BEST),
  ...END_BLOCK,
];

const section = (id: number, content: readonly number[]) => [id, ...length(content), ...content];
const length = (content: readonly number[]) => [(content.length & 0x7f) | 0x80, content.length >> 7];
const [I32, F32, V128] = [0x7f, 0x7d, 0x7b];
const locals = [3, 5, I32, 2, F32, 4, V128];

const MODULE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...section(1, [1, 0x60, 5, I32, I32, I32, I32, I32, 1, I32]),
  ...section(2, [1, 1, 0x6d, 1, 0x6d, 0x02, 0x00, 1]), // imports m.m: a memory of a page or more
  ...section(3, [1, 0]),
  ...section(7, [1, 1, 0x66, 0x00, 0]), // exports f
  ...section(10, [1, ...length([...locals, ...code]), ...locals, ...code]),
);

/** A growing memory, in pages of 64 KiB; growing replaces `buffer`. */
export interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

// The only part of the interface in use; its types otherwise come with those of a browser.
declare const WebAssembly: {
  Memory: new (options: { initial: number }) => Memory;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: { readonly f: Scan } };
};

let compiled: object | undefined;

/** A memory of one page and the kernel over it. Throws where the CPU has no 128-bit vector instructions. */
export function kernel(): { readonly memory: Memory; readonly scan: Scan } {
  compiled ??= new WebAssembly.Module(MODULE);
  const memory = new WebAssembly.Memory({ initial: 1 });
  return { memory, scan: new WebAssembly.Instance(compiled, { m: { m: memory } }).exports.f };
}
