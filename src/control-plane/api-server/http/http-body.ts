/** The body of a request over HTTP: JSON as it is, YAML and protobuf turned into it, patches by their content type. */

import { isUtf8 } from 'node:buffer';
import { isCustom, type Kind } from '../../../api/meta/kind.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { own } from '../../../api/meta/words.ts';
import { bodyValuesMax, requireObject, tooManyValues, unreadableBody } from '../../../api/schema/body.ts';
import { type PatchType, patchTypes } from '../../../api/schema/patch.ts';
import type { BodyContent, RequestBody } from '../request/api-request.ts';
import { unsupportedPatch } from '../request/refusals.ts';
import { largeBytes, takeInTurns, yieldTurn } from '../request/yield-turn.ts';
import { bodyBytesMax, type Exchange } from './exchange.ts';
import { acceptedTypes } from './negotiation.ts';

const deleteOptionsType = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';
/** What it is the body of. */
interface Expected {
  readonly verb: string;
  readonly kind: Kind;
}

export function httpBody(exchange: Exchange, request: Expected): RequestBody {
  const type = (exchange.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const isPatch = request.verb === 'patch';
  return {
    read: () => (isPatch ? exchange.readText().then((text) => ({ text })) : readObject(exchange, type, request)),
    patchType: isPatch ? () => patchTypeOf(type) : undefined,
    get size() {
      return exchange.bodySize;
    },
  };
}

function patchTypeOf(type: string): PatchType {
  const known = own(patchTypes, type);
  if (!known) throw unsupportedPatch();
  return known;
}

async function readObject(exchange: Exchange, type: string, request: Expected): Promise<BodyContent | undefined> {
  const isOptional = request.verb === 'delete' || request.verb === 'deletecollection';
  if (!isOptional) checkType(type, request.kind);
  const bytes = await exchange.readBytes();
  if (isOptional) {
    if (bytes.length === 0) return undefined;
    checkType(type, undefined);
  }
  if (type === 'application/vnd.kubernetes.protobuf') return { value: await protobufToValue(bytes, request), isOwn: true };
  const text = bytes.toString();
  return type === 'application/yaml' ? readYamlBody(text, { kind: request.kind.kind, isUTF8: isUtf8(bytes), exchange }) : { text };
}

/** `kind`: of which the body is; a custom one has no form in protobuf. */
function checkType(type: string, kind: Kind | undefined): void {
  if (type === '' || type === 'application/json' || type === 'application/yaml') return;
  const hasProtobuf = !kind || !isCustom(kind);
  if (type === 'application/vnd.kubernetes.protobuf' && hasProtobuf) return;
  const accepted = !hasProtobuf ? 'application/json, application/yaml' : acceptedTypes;
  throw errors.unsupportedMediaType(`the body of the request was in an unknown format - accepted media types include: ${accepted}`);
}

async function protobufToValue(bytes: Uint8Array, { verb, kind }: Expected): Promise<object> {
  const { decodeProtobufInSteps, ProtobufError, ProtobufTooLargeError } = await import('../../../api/schema/decode-protobuf.ts');
  const isDelete = verb === 'delete' || verb === 'deletecollection';
  try {
    return await takeInTurns(
      decodeProtobufInSteps(bytes, isDelete ? deleteOptionsType : kind.typeName, bodyValuesMax),
      bytes.length > largeBytes,
    );
  } catch (error) {
    if (error instanceof ProtobufTooLargeError) throw tooManyValues();
    if (!(error instanceof ProtobufError)) throw error;
    throw errors.badRequest(
      `the object provided is unrecognized (must be of type ${isDelete ? 'DeleteOptions' : kind.kind}): ${error.message}`,
    );
  }
}

/** In steps, between which others have their turn. */
async function readYamlBody(
  text: string,
  { kind, isUTF8, exchange }: { readonly kind: string; readonly isUTF8: boolean; readonly exchange: Exchange },
): Promise<BodyContent> {
  const { readYaml, YamlError, YamlTooLargeError } = await import('../../../api/schema/yaml/read-yaml.ts');
  try {
    if (!isUTF8) throw new YamlError('yaml: invalid leading UTF-8 octet');
    const reading = readYaml(text, { values: bodyValuesMax, characters: bodyBytesMax });
    let step = reading.next();
    for (; !step.done; step = reading.next()) {
      await yieldTurn();
      if (exchange.isOver) exchange.signal.throwIfAborted();
    }
    const { value, duplicates } = step.value;
    const problems = duplicates.length > 0 ? [`yaml: unmarshal errors:\n  ${duplicates.join('\n  ')}`] : [];
    return { value: requireObject(value, kind, text), isOwn: true, problems };
  } catch (error) {
    if (error instanceof YamlError) throw unreadableBody(kind, error.message, text);
    if (error instanceof YamlTooLargeError) throw errors.tooLarge(`Request entity too large: ${error.message}`);
    throw error;
  }
}
