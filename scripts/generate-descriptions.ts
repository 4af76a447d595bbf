/**
 * Writes src/api/data/descriptions.json: what the types and fields of the API mean, drawn from the documentation comments
 * of the installed JavaScript client. Not committed: made when the dependencies are installed, and again for the package.
 *
 * The client has no comments on fields that refer to a type: there the text of that type stands in.
 *
 * Shape: `texts`, each once; `types` by name, `[text of the type or -1, { field: text }]`, texts by their index.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const modelDir = join(root, 'node_modules/@kubernetes/client-node/dist/gen/models');
const outFile = join(root, 'src/api/data/descriptions.json');

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
