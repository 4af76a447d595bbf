/**
 * Whether a store's file is one whole LMDB tree, before LMDB opens it: LMDB trusts what it maps, so a file that is cut
 * off or changed ends the process by a signal, or has fewer keys without a word.
 *
 * Guarantees: every page that the newest commit refers to is there, is of the kind that is expected, is referred to
 * once, and is not among the free ones; keys ascend within their parents' bounds; each table has as many records as it
 * says. Reads every page of keys once (0.5 s per GB), of long values only the head.
 * What it does not do: check sums. A byte changed inside of a value, or in a key so that the order stays, is not found.
 * Specified in LMDB's mdb.c (page, node, meta and free list), in the version that the `lmdb` package brings.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/*
 * page:  0 number u64, 8 transaction u64, 16 pad u16, 18 flags u16, 20 lower u16, 22 upper u16 (long value: 20 pages u32),
 *        24 offsets of nodes u16 each, from here on; nodes at the end
 * node:  0 data length u32 (branch: page number u48), 4 flags u16, 6 key length u16, 8 key, data
 * meta:  24 mark u32, 28 version u32, 32 address u64, 40 map size u64, 48 free tree, 96 main tree, 144 last page u64, 152 transaction u64
 * tree:  0 pad u32 (free tree: page size), 4 flags u16, 6 depth u16, 8 branches u64, 16 leaves u64, 24 long pages u64, 32 records u64, 40 root u64
 */
const headBytes = 24;
const nodeHeadBytes = 8;
const treeBytes = 48;
const metaBytes = 168;
const mark = 0xbeefc0de;
const formatVersion = 2;
const metaPages = 2;
const depthMax = 32;
const pageFlags = { branch: 1, leaf: 2, long: 4, meta: 8 } as const;
const nodeFlags = { long: 1, tree: 2 } as const;

interface FileSize {
  readonly pageBytes: number;
  /** address space that the program gives it */
  readonly mapBytesMax: number;
}

class Damage extends Error {}

/** Of a file, as far as it is looked at. */
export type Look = 'all of it' | 'its beginning';

/** Why the file is none of ours, or not whole; undefined: it is, or there is none yet. */
export function describeDamage(file: string, size: FileSize, look: Look = 'all of it'): string | undefined {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return describeOpen(fd, size, look);
  } finally {
    closeSync(fd);
  }
}

/** A commit of another process, which has the store open, is no damage: what it replaces was in use when the walk began. */
function describeOpen(fd: number, size: FileSize, look: Look): string | undefined {
  const { pageBytes } = size;
  const fileBytes = fstatSync(fd).size;
  if (fileBytes === 0) return undefined;
  const before = beginningOf(fd, pageBytes);
  try {
    const walk = new Walk(fd, { ...size, fileBytes });
    if (look === 'its beginning') walk.beginning();
    else walk.all();
    return undefined;
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    return before.equals(beginningOf(fd, pageBytes)) ? error.message : undefined;
  }
}

function beginningOf(fd: number, pageBytes: number): Buffer {
  const bytes = Buffer.alloc(metaPages * pageBytes);
  readSync(fd, bytes, 0, bytes.length, 0);
  return bytes;
}

interface Tree {
  readonly flags: number;
  readonly depth: number;
  readonly records: number;
  readonly root: number | undefined;
}

interface Meta {
  readonly free: Tree;
  readonly main: Tree;
  readonly lastPage: number;
  readonly transaction: number;
}

interface Bounds {
  readonly from?: Buffer | undefined;
  readonly before?: Buffer | undefined;
}

type Compare = (a: Buffer, b: Buffer) => number;

class Walk {
  readonly #fd: number;
  readonly #fileBytes: number;
  readonly #pageBytes: number;
  readonly #mapBytesMax: number;
  #seen = new Uint8Array(0);

  constructor(fd: number, { fileBytes, pageBytes, mapBytesMax }: FileSize & { readonly fileBytes: number }) {
    this.#fd = fd;
    this.#mapBytesMax = mapBytesMax;
    this.#fileBytes = fileBytes;
    this.#pageBytes = pageBytes;
  }

  all(): void {
    const { main, free } = this.#begin();
    this.#tables(main, (table) => this.#tree(table, byBytes));
    this.#tree(free, byNumber, (_, { data }) => this.#freePages(data));
  }

  /** A few pages: its heads, and the first page of each table. */
  beginning(): void {
    this.#tables(this.#begin().main, ({ root }) => {
      if (root !== undefined) this.#page(root);
    });
  }

  #begin(): Meta {
    const meta = this.#newestMeta();
    this.#seen = new Uint8Array(meta.lastPage + 1);
    this.#seen.fill(1, 0, metaPages);
    return meta;
  }

  #tables(main: Tree, onTable: (table: Tree) => void): void {
    this.#tree(main, byBytes, (key, node) => {
      if (node.flags !== nodeFlags.tree || node.data.length !== treeBytes) throw new Damage(`its list of tables is damaged at ${key}`);
      onTable(readTree(node.data));
    });
  }

  #newestMeta(): Meta {
    if (this.#fileBytes < this.#pageBytes + metaBytes) throw new Damage('it is torn off at its beginning');
    const metas = [0, 1].map((number) => this.#meta(number)).filter((meta) => meta !== undefined);
    const newest = metas.toSorted((a, b) => b.transaction - a.transaction)[0];
    if (!newest) throw new Damage('it does not begin as a store does');
    return newest;
  }

  /** Undefined: the second, which the first commit writes. */
  #meta(number: number): Meta | undefined {
    const page = this.#read(number * this.#pageBytes, metaBytes);
    if (number > 0 && page.readUInt32LE(24) === 0 && page.readUInt16LE(18) === 0) return undefined;
    const isMeta =
      page.readUInt32LE(24) === mark &&
      page.readUInt32LE(28) === formatVersion &&
      page.readUInt32LE(48) === this.#pageBytes &&
      page.readUInt16LE(18) === pageFlags.meta;
    if (!isMeta) throw new Damage('it does not begin as a store does');
    const lastPage = readNumber(page, 144);
    const transaction = readNumber(page, 152);
    const [address, mapBytes] = [readNumber(page, 32), readNumber(page, 40)];
    if (lastPage === undefined || transaction === undefined || address !== 0 || !mapBytes) throw new Damage('its beginning is damaged');
    if ((lastPage + 1) * this.#pageBytes > mapBytes || mapBytes > this.#mapBytesMax) throw new Damage('its beginning is damaged');
    const [free, main] = [readTree(page.subarray(48, 96)), readTree(page.subarray(96, 144))];
    if (free.flags !== byNumber.flags || main.flags !== byBytes.flags) throw new Damage('its beginning is damaged');
    return { free, main, lastPage, transaction };
  }

  #tree(tree: Tree, { flags, compare }: Order, onRecord?: (key: string, node: Node) => void): void {
    const { root, depth, records } = tree;
    if (depth > depthMax) throw new Damage('a table is deeper than it can be');
    let found = 0;
    const visit = (number: number, level: number, bounds: Bounds): void => {
      const page = this.#page(number);
      const isLeaf = level === depth;
      const nodes = this.#nodes(page, number, isLeaf);
      checkOrder(nodes, { number, isLeaf, bounds, compare });
      if (isLeaf) {
        found += nodes.length;
        for (const node of nodes) {
          const data = node.flags & nodeFlags.long ? this.#longValue(node, onRecord !== undefined) : node.data;
          onRecord?.(node.key.toString('hex'), { ...node, data });
        }
        return;
      }
      for (const [index, node] of nodes.entries()) {
        const from = index === 0 ? bounds.from : node.key;
        visit(node.page, level + 1, { from, before: nodes[index + 1]?.key ?? bounds.before });
      }
    };
    if (tree.flags !== flags) throw new Damage('a table is of another kind');
    if (root === undefined ? depth !== 0 : depth === 0) throw new Damage('a table has no beginning');
    if (root !== undefined) visit(root, 1, {});
    if (found !== records) throw new Damage(`records are missing: a table has ${found} of ${records}`);
  }

  #nodes(page: Buffer, number: number, isLeaf: boolean): Node[] {
    const bad = (): Damage => new Damage(`page ${number} is damaged`);
    const [lower, upper] = [page.readUInt16LE(20), page.readUInt16LE(22)];
    const room = this.#pageBytes - headBytes;
    if (page.readUInt16LE(18) !== (isLeaf ? pageFlags.leaf : pageFlags.branch)) throw bad();
    if (lower % 2 !== 0 || lower === 0 || lower > upper || upper > room) throw bad();
    return Array.from({ length: lower / 2 }, (_, index) => {
      const offset = page.readUInt16LE(headBytes + index * 2);
      if (offset < upper || offset + nodeHeadBytes > room) throw bad();
      const at = headBytes + offset;
      const [length, flags, keyBytes] = [page.readUInt32LE(at), page.readUInt16LE(at + 4), page.readUInt16LE(at + 6)];
      const dataAt = at + nodeHeadBytes + keyBytes;
      const dataBytes = isLeaf ? (flags & nodeFlags.long ? headBytes : length) : 0;
      if (dataAt + dataBytes > this.#pageBytes || (isLeaf && (flags & ~(nodeFlags.long | nodeFlags.tree)) !== 0)) throw bad();
      const key = page.subarray(at + nodeHeadBytes, dataAt);
      return { key, flags, length, page: length + flags * 2 ** 32, data: page.subarray(dataAt, dataAt + dataBytes) };
    });
  }

  /** Of what has pages of its own, only the first page's head is looked at, unless the value is wanted. */
  #longValue(node: Node, isWanted: boolean): Buffer {
    const [number, pages] = [readNumber(node.data, 0), readNumber(node.data, 16)];
    const needed = Math.ceil((headBytes + node.length) / this.#pageBytes);
    if (number === undefined || pages !== needed) throw new Damage('a long value is damaged');
    for (let i = 0; i < pages; i++) this.#take(number + i);
    const head = this.#read(number * this.#pageBytes, headBytes);
    if (readNumber(head, 0) !== number || head.readUInt16LE(18) !== pageFlags.long || head.readUInt32LE(20) !== pages)
      throw new Damage(`page ${number} is damaged`);
    if (isWanted) return this.#read(number * this.#pageBytes + headBytes, node.length);
    this.#checkThere(number * this.#pageBytes + headBytes + node.length);
    return node.data;
  }

  /** A count, then numbers of pages; a negative one says how many pages follow from the next number on. */
  #freePages(data: Buffer): void {
    const bad = (): Damage => new Damage('its list of free pages is damaged');
    const count = readNumber(data, 0);
    if (count === undefined || (count + 1) * 8 > data.length) throw bad();
    for (let i = 1; i <= count; i++) {
      const entry = data.readBigInt64LE(i * 8);
      if (entry === 0n) continue;
      const length = entry < 0n ? Number(-entry) : 1;
      if (entry < 0n) i++;
      const first = i <= count ? readNumber(data, i * 8) : undefined;
      if (first === undefined || length > this.#seen.length) throw bad();
      for (let number = first; number < first + length; number++) this.#take(number);
    }
  }

  #page(number: number): Buffer {
    this.#take(number);
    const page = this.#read(number * this.#pageBytes, this.#pageBytes);
    if (readNumber(page, 0) !== number) throw new Damage(`page ${number} is another one`);
    return page;
  }

  #take(number: number): void {
    if (number < metaPages || number >= this.#seen.length) throw new Damage(`page ${number} can't be there`);
    if (this.#seen[number]) throw new Damage(`page ${number} is used twice`);
    this.#seen[number] = 1;
  }

  #checkThere(end: number): void {
    if (end > this.#fileBytes) throw new Damage(`it is cut off after ${this.#fileBytes} bytes`);
  }

  #read(at: number, length: number): Buffer {
    this.#checkThere(at + length);
    const buffer = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      const read = readSync(this.#fd, buffer, done, length - done, at + done);
      if (read === 0) throw new Damage(`it is cut off after ${at + done} bytes`);
      done += read;
    }
    return buffer;
  }
}

interface Node {
  readonly key: Buffer;
  readonly flags: number;
  /** of the data */
  readonly length: number;
  /** on a branch: the child */
  readonly page: number;
  readonly data: Buffer;
}

interface Order {
  /** what a table with it has among its flags */
  readonly flags: number;
  readonly compare: Compare;
}

const byBytes: Order = { flags: 0, compare: (a, b) => a.compare(b) };
const byNumber: Order = { flags: 8, compare: (a, b) => (readNumber(a, 0) ?? 0) - (readNumber(b, 0) ?? 0) };

interface OrderContext {
  readonly number: number;
  readonly isLeaf: boolean;
  readonly bounds: Bounds;
  readonly compare: Compare;
}

/** A branch's first key is not one: everything before the second is there. */
function checkOrder(nodes: readonly Node[], { number, isLeaf, bounds, compare }: OrderContext): void {
  const keys = nodes.slice(isLeaf ? 0 : 1).map(({ key }) => key);
  const line = [bounds.from, ...keys].filter((key) => key !== undefined);
  const rises = line.every((key, index) => {
    const next = line[index + 1];
    if (next === undefined) return bounds.before === undefined || compare(key, bounds.before) < 0;
    const order = compare(key, next);
    return order < 0 || (order === 0 && index === 0 && key === bounds.from);
  });
  if (!rises) throw new Damage(`page ${number} is out of order`);
}

function readTree(bytes: Buffer): Tree {
  const isEmpty = bytes.readBigUInt64LE(40) === 2n ** 64n - 1n;
  const [root, records] = [readNumber(bytes, 40), readNumber(bytes, 32)];
  if ((root === undefined && !isEmpty) || records === undefined) throw new Damage('a table is damaged');
  return { flags: bytes.readUInt16LE(4), depth: bytes.readUInt16LE(6), records, root: isEmpty ? undefined : root };
}

/** Undefined: larger than anything here can be. */
function readNumber(bytes: Buffer, at: number): number | undefined {
  if (at + 8 > bytes.length) return undefined;
  const high = bytes.readUInt32LE(at + 4);
  return high < 2 ** 20 ? bytes.readUInt32LE(at) + high * 2 ** 32 : undefined;
}
