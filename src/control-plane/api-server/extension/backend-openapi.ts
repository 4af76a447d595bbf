/**
 * What another server's OpenAPI document of version 2 says of its group-version: its paths, and the definitions that they
 * need. Parameters that it refers to are put in their places. What it says of anything else is left out.
 * Upstream: kube-openapi/pkg/aggregator (FilterSpecByPaths).
 */
import { createHash } from 'node:crypto';
import type { APIService } from '../../../api/generated/kinds.ts';
import type { OpenAPIPart } from '../../../api/kinds/kind-snapshot.ts';
import { own, put } from '../../../api/meta/words.ts';
import { parseJSON } from '../../../api/schema/json-scan.ts';
import { versionPath } from './availability.ts';
import { type BackendTools, getDocument } from './backend.ts';
import { type Json, record } from './backend-discovery.ts';

const definitionPrefix = '#/definitions/';
const parameterPrefix = '#/parameters/';

/** What is known already, while the server says that it stands; undefined: it has none that can be understood. */
export async function discoverOpenAPIV2(
  service: APIService,
  tools: BackendTools,
  { known, signal }: { readonly known: OpenAPIPart | undefined; readonly signal: AbortSignal },
): Promise<OpenAPIPart | undefined> {
  const asked = { path: '/openapi/v2', accept: 'application/json', signal, etag: known?.etag };
  const { code, headers, body } = await getDocument(service, tools, asked);
  if (code === 304) return known;
  if (code !== 200) return undefined;
  const part = partOf(record(parseJSON(body.toString())), `${versionPath(service)}/`);
  if (!part) return undefined;
  const text = JSON.stringify(part);
  return { text, hash: createHash('sha256').update(text).digest('hex'), etag: headers.etag };
}

/** Undefined: it says nothing of what is below the path. */
export function partOf(document: Json | undefined, path: string): { readonly paths: Json; readonly definitions: Json } | undefined {
  const below = Object.entries(record(document?.['paths']) ?? {}).filter(([each, item]) => each.startsWith(path) && record(item));
  if (below.length === 0) return undefined;
  const parameters = record(document?.['parameters']);
  const paths = withParameters(Object.fromEntries(below), parameters) as Json;
  return { paths, definitions: definitionsFor(paths, record(document?.['definitions']) ?? {}) };
}

function withParameters(value: unknown, parameters: Json | undefined): unknown {
  if (Array.isArray(value)) return value.map((each) => withParameters(each, parameters));
  const object = record(value);
  if (!object) return value;
  const reference = object['$ref'];
  if (typeof reference === 'string' && reference.startsWith(parameterPrefix))
    return own(parameters, reference.slice(parameterPrefix.length)) ?? {};
  return Object.fromEntries(Object.entries(object).map(([key, each]) => [key, withParameters(each, parameters)]));
}

function definitionsFor(paths: Json, all: Json): Json {
  const found: Record<string, unknown> = {};
  const waiting: unknown[] = [paths];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, each] of Object.entries(value)) {
      if (each !== undefined) waiting.push(each);
      const name = key === '$ref' && typeof each === 'string' && each.startsWith(definitionPrefix) && each.slice(definitionPrefix.length);
      const definition = name && !own(found, name) ? record(own(all, name)) : undefined;
      if (!name || !definition) continue;
      put(found, name, definition);
      waiting.push(definition);
    }
  }
  return found;
}
