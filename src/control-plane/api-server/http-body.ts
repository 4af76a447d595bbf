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
  if (type === 'application/yaml') {
    const text = await exchange.readText();
    return isOptional && !text ? undefined : { text: await yamlToJson(text, request.kind.kind) };
  }
  if (type === 'application/vnd.kubernetes.protobuf') {
    const bytes = await exchange.readBytes();
    return isOptional && bytes.length === 0 ? undefined : { value: await protobufToValue(bytes, request), isOwn: true };
  }
  if (type !== 'application/json' && type !== '' && type !== '*/*' && !isOptional) {
    const message = `the body of the request was in an unknown format - accepted media types include: ${acceptedTypes}`;
    throw errors.unsupportedMediaType(message);
  }
  const text = await exchange.readText();
  return isOptional && !text ? undefined : { text };
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
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text, { uniqueKeys: false, prettyErrors: true });
  const [problem] = document.errors;
  if (problem) {
    const line = problem.linePos?.[0].line ?? 1;
    const why = (problem.message.split('\n', 1)[0] ?? '').replace(/ at line .*$/, '');
    throw errors.badRequest(`the object provided is unrecognized (must be of type ${kind}): yaml: line ${line}: ${why}`);
  }
  return JSON.stringify(document.toJS({ maxAliasCount: yamlAliasesMax }) ?? null);
}
