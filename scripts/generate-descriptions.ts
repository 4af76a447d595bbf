/**
 * Writes src/api/data/descriptions.json: what the types and fields of the API mean, drawn from the documentation comments
 * of the JavaScript client. Not committed: made when the dependencies are installed, and again for the package. Without the
 * development dependencies the client is fetched for this and not kept.
 *
 * The client has no comments on fields that refer to a type: there the text of that type stands in.
 *
 * Shape: `texts`, each once; `types` by name, `[text of the type or -1, { field: text }]`, texts by their index.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const client = 'node_modules/@kubernetes/client-node';
const models = 'dist/gen/models';
const fetched = existsSync(join(root, client)) ? undefined : fetchClient();
const modelDir = join(fetched ?? join(root, client), models);
const outFile = join(root, 'src/api/data/descriptions.json');

/** A folder with the models of the client that the lock file names. */
function fetchClient(): string {
  const dir = mkdtempSync(join(tmpdir(), 'timonier-client-'));
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string }>;
  };
  const spec = `@kubernetes/client-node@${packages[client]?.version ?? ''}`;
  const words = ['pack', '--silent', '--prefer-offline', '--fetch-retries=1', '--fetch-retry-mintimeout=1000', spec];
  const archive = execFileSync('npm', words, { cwd: dir, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
  execFileSync('tar', ['-xzf', archive, '--strip-components=1', `package/${models}`], { cwd: dir });
  return dir;
}

type Fields = Record<string, { type: string }>;
const typeTable = JSON.parse(readFileSync(join(root, 'src/api/data/types.json'), 'utf8')) as Record<string, { fields?: Fields }>;
const upper = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** `V1Pod`; `CoreV1Event` where two groups have a type of the same name. */
function modelFile(typeName: string): string | undefined {
  const [kind = '', version = '', group = ''] = typeName.split('.').toReversed();
  const model = `${upper(version)}${kind}`;
  return [`${upper(group)}${model}`, model].map((name) => join(modelDir, `${name}.d.ts`)).find(existsSync);
}

/** As the client spells what is no JavaScript name, back to the API's spelling. */
const fieldName = (property: string): string =>
  property.startsWith('x_kubernetes_') ? property.replaceAll('_', '-') : property.replace(/^_/, '');

function clean(comment: string): string {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, ''));
  return lines
    .join('\n')
    .replaceAll(/\\(['"`])/g, '$1')
    .replaceAll('*_/', '*/')
    .trim();
}

const texts = new Map<string, number>();
function indexOf(comment: string): number {
  const text = clean(comment);
  const index = texts.get(text) ?? texts.size;
  texts.set(text, index);
  return index;
}

const types: Record<string, [number, Record<string, number>]> = {};
for (const [name, { fields }] of Object.entries(typeTable)) {
  const file = fields && modelFile(name);
  if (!file) continue;
  const [head = '', body = ''] = readFileSync(file, 'utf8').split('export declare class');
  const ofType = /\/\*\*\n((?:\*.*\n)+)\*\/\n$/.exec(head)?.[1];
  const ofFields = [...body.matchAll(/\/\*\*\n((?:\s*\* .*\n|\s*\*\n)+)\s*\*\/\n\s*'(\w+)'\??:/g)]
    .map(([, comment = '', property = '']) => [fieldName(property), comment] as const)
    .filter(([field]) => field in fields);
  if (ofType === undefined && !ofFields.length) continue;
  types[name] = [ofType === undefined ? -1 : indexOf(ofType), Object.fromEntries(ofFields.map(([f, c]) => [f, indexOf(c)]))];
}
for (const [name, [, ofFields]] of Object.entries(types)) {
  for (const [field, { type }] of Object.entries(typeTable[name]?.fields ?? {})) {
    const index = types[type]?.[0] ?? -1;
    if (index >= 0) ofFields[field] ??= index;
  }
}
if (!texts.size) throw new Error(`no documentation comments in ${modelDir}: the client has changed`);
writeFileSync(outFile, JSON.stringify({ texts: [...texts.keys()], types }));
if (fetched) rmSync(fetched, { recursive: true });
