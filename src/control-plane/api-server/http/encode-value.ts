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

/** What has no more parts is indented natively, in one go. */
const partsAtOnce = 1000;
const textLengthAtOnce = 16 * 1024;

/** Among texts that are made one by one: whoever asks for them may let others have their turn before the next, which takes its time. */
export const restMark = '';

/** The same, text by text, so that a large value may be sent as it is made; `margin`: where it stands in something else. */
export function* indentedTexts(value: object, margin = ''): Generator<string, undefined> {
  const isLarge = countParts(value, partsAtOnce) >= partsAtOnce;
  if (isLarge) yield restMark;
  if (isTooDeep(value, indentedNestingMax)) yield JSON.stringify(value);
  else if (!isLarge) yield indentedAt(value, margin);
  else yield* textsOfLarge(value, margin);
}

function* textsOfLarge(value: object, margin: string): Generator<string, undefined> {
  yield restMark;
  const inner = `${margin}  `;
  const isList = Array.isArray(value);
  let text = isList ? '[' : '{';
  let isFirst = true;
  for (const name in value) {
    const part: unknown = Reflect.get(value, name);
    if (part === undefined && !isList) continue;
    text += `${isFirst ? '' : ','}\n${inner}${isList ? '' : `${JSON.stringify(name)}: `}`;
    isFirst = false;
    if (typeof part === 'object' && part !== null && countParts(part, partsAtOnce) >= partsAtOnce) {
      yield text;
      yield* textsOfLarge(part, inner);
      text = '';
    } else text += indentedAt(part ?? null, inner);
    if (text.length < textLengthAtOnce) continue;
    yield text;
    text = '';
  }
  yield `${text}\n${margin}${isList ? ']' : '}'}`;
}

function indentedAt(value: unknown, margin: string): string {
  const text = JSON.stringify(value, null, 2);
  return typeof value === 'object' && margin ? text.replaceAll('\n', `\n${margin}`) : text; // a line break within a text is escaped
}

/** Up to `max` of them. */
function countParts(value: unknown, max: number): number {
  if (typeof value !== 'object' || value === null) return 1;
  let count = 1;
  for (const name in value) {
    count += countParts(Reflect.get(value, name), max - count);
    if (count >= max) break;
  }
  return count;
}
