/** The body of a request over HTTP: JSON as it is, YAML and protobuf turned into it, patches by their content type. */
import { errors } from '../../api/meta/status-error.ts';
import type { PatchType } from '../../client/client.ts';
import type { Exchange } from './exchange.ts';
import { acceptedTypes } from './negotiation.ts';
import { unsupportedPatch } from './refusals.ts';
import type { BodyContent, RequestBody, ResourceRequest } from './resource-request.ts';

const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};
const deleteOptionsType = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';
/** YAML aliases that a document may use: more is an attack. */
const yamlAliasesMax = 100;
/** Tags of YAML 1.1 that Go's reader, which clients write for, does not resolve. */
const unresolvedTags = /:(timestamp|binary|omap|pairs|set)$/;

export function httpBody(exchange: Exchange, request: Pick<ResourceRequest, 'verb' | 'kind'>): RequestBody {
  const type = (exchange.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (request.verb === 'patch') return { read: async () => ({ text: await exchange.readText() }), patchType: () => patchTypeOf(type) };
  return { read: () => readObject(exchange, type, request) };
}

function patchTypeOf(type: string): PatchType {
  const known = patchTypes[type];
  if (!known) throw unsupportedPatch();
  return known;
}

async function readObject(
  exchange: Exchange,
  type: string,
  request: Pick<ResourceRequest, 'verb' | 'kind'>,
): Promise<BodyContent | undefined> {
  const isOptional = request.verb === 'delete' || request.verb === 'deletecollection';
  if (!isOptional) checkType(type);
  const bytes = await exchange.readBytes();
  if (isOptional) {
    if (bytes.length === 0) return undefined;
    checkType(type);
  }
  if (type === 'application/vnd.kubernetes.protobuf') return { value: await protobufToValue(bytes, request), isOwn: true };
  const text = bytes.toString();
  return { text: type === 'application/yaml' ? await yamlToJson(text, request.kind.kind) : text };
}

function checkType(type: string): void {
  if (type === '' || type === 'application/json' || type === 'application/yaml' || type === 'application/vnd.kubernetes.protobuf') return;
  throw errors.unsupportedMediaType(`the body of the request was in an unknown format - accepted media types include: ${acceptedTypes}`);
}

async function protobufToValue(bytes: Uint8Array, { verb, kind }: Pick<ResourceRequest, 'verb' | 'kind'>): Promise<object> {
  const { decodeProtobuf, ProtobufError } = await import('../../api/schema/decode-protobuf.ts');
  const isDelete = verb === 'delete' || verb === 'deletecollection';
  try {
    return decodeProtobuf(bytes, isDelete ? deleteOptionsType : kind.typeName);
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw errors.badRequest(
      `the object provided is unrecognized (must be of type ${isDelete ? 'DeleteOptions' : kind.kind}): ${error.message}`,
    );
  }
}

async function yamlToJson(text: string, kind: string): Promise<string> {
  const { parseAllDocuments } = await import('yaml');
  const refuse = (why: string): never => {
    throw errors.badRequest(`the object provided is unrecognized (must be of type ${kind}): yaml: ${why}`);
  };
  // YAML 1.1, where `yes` is true and `<<` merges. Times and the digits of a clock stay text; only the first document counts.
  const [document] = parseAllDocuments(text, {
    version: '1.1',
    uniqueKeys: false,
    customTags: (tags) =>
      tags.filter((tag) => typeof tag === 'string' || !(unresolvedTags.test(tag.tag) || ('format' in tag && tag.format === 'TIME'))),
  });
  const [problem] = document?.errors ?? [];
  if (problem) {
    const why = (problem.message.split('\n', 1)[0] ?? '').replace(/ at line .*$/, '');
    refuse(`line ${problem.linePos?.[0].line ?? 1}: ${why}`);
  }
  try {
    return JSON.stringify(document?.toJS({ maxAliasCount: yamlAliasesMax, reviver: finite }) ?? null);
  } catch (error) {
    // An alias of nothing, or too many of them.
    if (error instanceof ReferenceError || error instanceof RangeError) return refuse(error.message);
    throw error;
  }
}

/** JSON has no infinite numbers. */
function finite(_key: unknown, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError(`unsupported value: ${value}`);
  return value;
}
