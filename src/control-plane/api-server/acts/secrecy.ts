/**
 * What acts do not tell, whoever has written it into a message: the content of kinds that hold secrets, whole objects
 * (and so what was applied last), keys and tokens. Pure.
 *
 * Guarantee: of an object whose kind holds secrets nothing is told but its name, and the paths of its fields. Of others
 * what is written as JSON, PEM, a token or long base64 is left out; a secret in plain words is not recognized.
 */
import { groupOf, type KubeObject } from '../../../api/meta/object.ts';
import type { StatusError } from '../../../api/meta/status-error.ts';

/** Of a text that is told. */
const wordsMax = 1024;
/** Of one that is looked through. */
const readMax = 16 * 1024;
const fieldsMax = 5;
const fieldMax = 80;

const secretKinds = new Set(['/Secret', 'authentication.k8s.io/TokenReview', 'authentication.k8s.io/TokenRequest']);

export const holdsSecrets = ({ group, kind }: { readonly group: string; readonly kind: string }): boolean =>
  secretKinds.has(`${group}/${kind}`);

export const groupKindOf = ({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>) => ({
  group: groupOf(apiVersion),
  kind,
});

/** A message of a refusal. What the server itself says of a name quotes no content. */
export function tellableMessage(kind: { readonly group: string; readonly kind: string }, error: StatusError): string {
  const { message, reason, refusedBy, status } = error;
  const isOfName = refusedBy === 'authorization' || (refusedBy === undefined && ['NotFound', 'AlreadyExists'].includes(reason));
  if (!holdsSecrets(kind) || isOfName) return tellable(message);
  const fields = (status.details?.causes ?? []).map(({ field = '' }) => field).filter((field) => field !== '');
  const shown = fields.slice(0, fieldsMax).map((field) => (field.length > fieldMax ? `${field.slice(0, fieldMax - 1)}…` : field));
  return shown.length > 0 ? `because of ${shown.join(', ')} (what it holds is not told)` : 'what it holds is not told';
}

const keysAndTokens: readonly RegExp[] = [
  /-----BEGIN [\s\S]*?(?:-----END [A-Z ]*-----|$)/g,
  /\beyJ[\w-]{8,}(?:\.[\w-]*)*/g,
  /(?<=\bBearer )\S+/gi,
];

const longWord = /[A-Za-z0-9+/_-]{40,}={0,2}/g;
/** Long names have no capitals. */
const isBase64 = (word: string): boolean => /[A-Z]/.test(word) && /[a-z]/.test(word) && /\d/.test(word);

/** A text that clients or components have written, without what may be secret, of bounded length. */
export function tellable(text: string): string {
  let told = withoutObjects(text.slice(0, readMax));
  for (const pattern of keysAndTokens) told = told.replaceAll(pattern, '…');
  told = told.replaceAll(longWord, (word) => (isBase64(word) ? '…' : word));
  return shortened(told);
}

export const shortened = (text: string): string => (text.length > wordsMax ? `${text.slice(0, wordsMax - 1)}…` : text);

/** `{"a":…}` and `{\"a\":…}`, also one that was cut, become `{…}`. */
function withoutObjects(text: string): string {
  let told = '';
  let at = 0;
  for (let begin = beginOfObject(text, at); begin !== undefined; begin = beginOfObject(text, at)) {
    told += `${text.slice(at, begin)}{…}`;
    at = endOfObject(text, begin);
  }
  return told + text.slice(at);
}

/** The first bracket of those before a quote. Looks back to the quote before at most, so that the whole takes linear time. */
function beginOfObject(text: string, from: number): number | undefined {
  let least = from;
  for (let quote = text.indexOf('"', from); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let begin: number | undefined;
    let i = quote - 1;
    while (i >= least && text[i] === '\\') i--;
    for (; i >= least && /[\s{[]/.test(text.charAt(i)); i--) if (text[i] === '{' || text[i] === '[') begin = i;
    if (begin !== undefined) return begin;
    least = quote + 1;
  }
  return undefined;
}

/** Counts brackets, also those in strings: one too much is left out rather than one too few. */
function endOfObject(text: string, start: number): number {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    const character = text[i];
    if (character === '{' || character === '[') depth++;
    else if ((character === '}' || character === ']') && --depth === 0) return i + 1;
  }
  return text.length;
}
