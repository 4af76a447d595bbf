/** A value that no cache holds, as bytes in the form that was negotiated. */
import { encodeEnveloped, encodeMessage, type TypeMeta } from '../../../api/schema/encode-protobuf.ts';
import { isTooDeep } from '../../../api/schema/nesting.ts';
import { type AnswerForm, mediaTypes } from './negotiation.ts';

export interface Encoded {
  readonly contentType: string;
  readonly bytes: Buffer;
}

export async function encodeValue(value: object, { format, pretty }: Pick<AnswerForm, 'format' | 'pretty'>): Promise<Encoded> {
  const contentType = mediaTypes[format];
  if (format === 'protobuf') {
    // Discovery's document of the core group says no apiVersion of its own.
    const object: TypeMeta = { apiVersion: 'v1', ...(value as Pick<TypeMeta, 'kind'>) };
    return { contentType, bytes: encodeEnveloped(object, encodeMessage(object)) };
  }
  if (format === 'yaml') {
    const { writeYaml } = await import('../../../api/schema/yaml/write-yaml.ts');
    return { contentType, bytes: Buffer.from(writeYaml(value)) };
  }
  return { contentType, bytes: Buffer.from(pretty ? indented(value) : `${JSON.stringify(value)}\n`) };
}

/** Nested deeper, a small value would become a hundred times as many blanks. */
const indentedNestingMax = 50;

/** JSON in lines, for people. */
export const indented = (value: object): string =>
  isTooDeep(value, indentedNestingMax) ? JSON.stringify(value) : JSON.stringify(value, null, 2);

const before = '[\n  [\n    ';
const after = '\n  ]\n]';

/** The same as it stands in a list that is a field. */
export const indentedItem = (value: object): string =>
  isTooDeep(value, indentedNestingMax) ? JSON.stringify(value) : JSON.stringify([[value]], null, 2).slice(before.length, -after.length);
