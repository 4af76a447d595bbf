/** The query of a request for a resource. What is no number where one has to be is a BadRequest, in upstream's words. */
import type { DeleteOptions } from '../../../api/generated/meta-v1.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { isTrue } from '../request/query-boolean.ts';
import type { RequestOptions } from '../request/request.ts';

const none: RequestOptions = {};
const strings = [
  'labelSelector',
  'fieldSelector',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'fieldManager',
  'fieldValidation',
] as const;
const numbers = ['limit', 'timeoutSeconds'] as const;
const booleans = ['allowWatchBookmarks', 'sendInitialEvents', 'force'] as const;

/** `isDelete`: it may say what a body of DeleteOptions would. */
export function parseOptions(query: URLSearchParams | undefined, isDelete: boolean): RequestOptions {
  if (!query) return none;
  const options: { -readonly [K in keyof RequestOptions]: RequestOptions[K] } = {};
  for (const name of strings) {
    const value = query.get(name);
    if (value) options[name] = value;
  }
  for (const name of numbers) {
    const value = query.get(name);
    if (value !== null) options[name] = parseInteger(value);
  }
  for (const name of booleans) {
    const value = query.get(name);
    if (value !== null) options[name] = isTrue(value);
  }
  const dryRun = query.getAll('dryRun');
  if (dryRun.length > 0) options.dryRun = dryRun;
  if (isDelete) options.deletion = parseDeletion(query);
  return options;
}

function parseDeletion(query: URLSearchParams): DeleteOptions {
  const grace = query.get('gracePeriodSeconds');
  const policy = query.get('propagationPolicy');
  const orphan = query.get('orphanDependents');
  const [uid, resourceVersion] = [query.get('uid'), query.get('resourceVersion')];
  return {
    ...(grace && { gracePeriodSeconds: parseInteger(grace) }),
    ...(policy && { propagationPolicy: policy }),
    ...(orphan !== null && { orphanDependents: isTrue(orphan) }),
    ...((uid || resourceVersion) && { preconditions: { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) } }),
  };
}

function parseInteger(text: string): number {
  const isNumber = /^[-+]?\d+$/.test(text);
  if (isNumber && BigInt.asIntN(64, BigInt(text)) === BigInt(text)) return Number(text);
  const reason = isNumber ? 'value out of range' : 'invalid syntax';
  throw errors.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${reason}`);
}
