/**
 * Where `image load` has images from: a file, a pipe, or an engine (Docker, Podman) that runs on this machine or wherever
 * its own command reaches it, through that command, which alone knows contexts, rights and machines of its own. What is
 * compressed, or can be read only once, is kept in a file without a name meanwhile.
 */
import { execFile, spawn } from 'node:child_process';
import { createReadStream, rmSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { parseJSON } from '../../api/schema/json-scan.ts';
import { BadArchive, gzipMagic, type OpenArchive, zstdMagic } from '../../node/runtime/image-archive.ts';
import { isImageName, normalizeImageName } from '../../node/runtime/image-name.ts';
import { endOf } from '../../node/runtime/program-end.ts';
import { OperationError } from '../operation-error.ts';

const run = promisify(execFile);
const askMsMax = 30_000;

export interface ImageSource extends AsyncDisposable {
  readonly open: OpenArchive;
  /** what it was asked for by, in full: a name that the image gets beside its own */
  readonly name?: string;
}

interface Places {
  /** for files without a name */
  readonly dir: string;
  readonly stdin: Readable & { readonly isTTY?: boolean };
}

/** What looks like a file is not asked of an engine. */
const fileLike = /^[./~]|\.(tar|tgz|tar\.\w+)$/;

export async function openImageSource(word: string, places: Places): Promise<ImageSource> {
  if (word === '-') {
    if (!places.stdin.isTTY) return keep(places.stdin, places.dir);
    throw new OperationError({ code: 'no-such-file', message: 'nothing is piped in', fix: 'docker save NAME:TAG | timonier image load -' });
  }
  const stat = statSync(word, { throwIfNoEntry: false });
  if (stat?.isDirectory())
    throw new OperationError({
      code: 'bad-archive',
      message: `${word} is a directory`,
      fix: 'give an archive: docker save NAME:TAG -o FILE',
    });
  if (stat) return openFile(word, { ...places, isRegular: stat.isFile() });
  if (fileLike.test(word))
    throw new OperationError({
      code: 'no-such-file',
      message: `there is no file ${word}`,
      fix: 'give an archive of images, or the name of an image',
    });
  if (!isImageName(word))
    throw new OperationError({
      code: 'no-such-file',
      message: `there is no file ${word}, and it is no name of an image`,
      fix: 'give an archive of images, or a name such as nginx:1.29',
    });
  return openEngineImage(word, places.dir);
}

async function openFile(path: string, { dir, isRegular }: Places & { readonly isRegular: boolean }): Promise<ImageSource> {
  const [start] = await peek(createReadStream(path, { end: magicBytes - 1 }));
  if (isRegular && compressionOf(start) === undefined)
    return { open: () => createReadStream(path), [Symbol.asyncDispose]: async () => undefined };
  return keep(createReadStream(path), dir);
}

/** Uncompressed, in a file without a name: nothing is left when this process ends, in whatever way. */
async function keep(source: Readable, dir: string): Promise<ImageSource> {
  const path = join(dir, `image-${process.pid}.tar`);
  const file = await open(path, 'w+', 0o600);
  rmSync(path);
  try {
    for await (const chunk of await plain(source)) await file.appendFile(chunk as Buffer);
  } catch (error) {
    await file.close();
    throw asBadArchive(error);
  }
  return { open: () => contentOf(file), [Symbol.asyncDispose]: () => file.close() };
}

async function* contentOf(file: FileHandle): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.allocUnsafe(chunkBytes), position });
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}

const chunkBytes = 2 ** 18;
const magicBytes = 6;
const compressions = [
  { name: 'gzip', magic: gzipMagic, decompress: createGunzip },
  { name: 'zstd', magic: zstdMagic, decompress: createZstdDecompress },
  { name: 'xz', magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) },
  { name: 'bzip2', magic: Buffer.from([0x42, 0x5a, 0x68]) },
] as const;

const compressionOf = (start: Buffer) => compressions.find(({ magic }) => start.subarray(0, magic.length).equals(magic));

async function plain(source: Readable): Promise<Readable> {
  const [start, whole] = await peek(source);
  const compression = compressionOf(start);
  if (!compression) return whole;
  if ('decompress' in compression) {
    const out = compression.decompress();
    whole.on('error', (error) => out.destroy(error));
    return whole.pipe(out);
  }
  const { name } = compression;
  throw new BadArchive(`it is compressed by ${name}, which is not read here`, `${name} -dc FILE | timonier image load -`);
}

function asBadArchive(error: unknown): unknown {
  const code = String((error as NodeJS.ErrnoException).code);
  if (!/^(Z_|ZSTD_)/.test(code)) return error;
  return new BadArchive('the compressed archive is cut off or damaged', 'write it again', { cause: error });
}

/** The first bytes of a stream, and all of it again. */
async function peek(source: Readable): Promise<readonly [Buffer, Readable]> {
  const parts = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let start: Buffer = Buffer.alloc(0);
  while (start.length < magicBytes) {
    const next = await parts.next();
    if (next.done) break;
    start = Buffer.concat([start, next.value]);
  }
  async function* whole(): AsyncGenerator<Buffer> {
    if (start.length > 0) yield start;
    for (let next = await parts.next(); !next.done; next = await parts.next()) yield next.value;
  }
  return [start, Readable.from(whole(), { objectMode: false })];
}

interface Engine {
  readonly program: string;
  readonly title: string;
}
const engines: readonly Engine[] = [
  { program: 'docker', title: 'Docker' },
  { program: 'podman', title: 'Podman' },
];

interface EngineImage {
  readonly RepoTags?: readonly string[] | null;
}

/** By name or ID, from the first engine that has it. */
async function openEngineImage(word: string, dir: string): Promise<ImageSource> {
  const here: Engine[] = [];
  const without: string[] = [];
  for (const engine of engines) {
    const answer = await inspect(engine, word);
    if (typeof answer !== 'string') return save(engine, { word, image: answer, dir });
    if (answer !== notInstalled) here.push(engine);
    without.push(`${engine.title} ${answer}`);
  }
  if (here.length === 0) {
    const message = `there is no file ${word}, and neither Docker nor Podman here to have an image of that name`;
    throw new OperationError({ code: 'no-engine', message, fix: 'give an archive of images' });
  }
  const isUnknown = without.some((why) => /has no image/.test(why));
  const fix = isUnknown
    ? `build or pull it first; ${here.map(({ program }) => `\`${program} images\``).join(' or ')} says what there is`
    : 'start it, or give an archive of images';
  throw new OperationError({ code: isUnknown ? 'no-such-image' : 'no-engine', message: without.join('; '), fix });
}

const notInstalled = 'is not installed';

/** What the engine knows of the image, or why it knows nothing: a sentence about the engine. */
async function inspect({ program }: Engine, word: string): Promise<EngineImage | string> {
  try {
    const { stdout } = await run(program, ['image', 'inspect', '--format', '{{json .}}', word], { timeout: askMsMax });
    return parseJSON(stdout) as EngineImage;
  } catch (error) {
    const { code, stderr = '' } = error as { code?: unknown; stderr?: string };
    if (code === 'ENOENT') return notInstalled;
    if (/no such image|image not known|not found/i.test(stderr)) return `has no image "${word}"`;
    if (/permission denied/i.test(stderr)) return 'does not let this user in';
    if (/connect/i.test(stderr)) return 'is not running';
    return `can't be asked: ${stderr.trim().split('\n')[0] || String(code)}`;
  }
}

async function save(
  { program, title }: Engine,
  { word, image, dir }: { readonly word: string; readonly image: EngineImage; readonly dir: string },
): Promise<ImageSource> {
  const reference = referenceOf(word, image.RepoTags ?? []);
  if (reference === undefined) {
    const fix = `give it one: ${program} tag ${word} NAME:TAG`;
    throw new OperationError({ code: 'bad-archive', message: `the image ${word} of ${title} has no name`, fix });
  }
  const child = spawn(program, ['save', reference], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [kept, { code, said }] = await Promise.all([keep(child.stdout, dir), endOf(child)]);
  if (code === 0) return { ...kept, name: normalizeImageName(reference), [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose]() };
  await kept[Symbol.asyncDispose]();
  const message = `${program} save ${reference} failed: ${said.at(-1)}`;
  throw new OperationError({ code: 'engine-failed', message, fix: `see what \`${program} save\` says` });
}

/** How an image is saved by one name: what it was asked for by, or, if that was an ID, the first that it has. */
function referenceOf(word: string, tags: readonly string[]): string | undefined {
  const name = withTag(word);
  const isName = word.includes('@') || tags.some((tag) => normalizeImageName(tag) === normalizeImageName(name) || tag.endsWith(`/${name}`));
  return isName ? name : tags[0];
}

/** Without a tag, an engine would save all of them. */
const withTag = (name: string): string => (name.includes('@') || /:[^/]+$/.test(name) ? name : `${name}:latest`);
