/** A type with every sort of part that server-side apply tells apart, and objects of it at random. */
import fc from 'fast-check';
import type { Json } from '../../src/api/apply/structure.ts';
import type { FieldSchema, ListSchema, ObjectSchema, Schema } from '../../src/api/schema/types.ts';

const text: Schema = { type: 'string' };
const number: Schema = { type: 'int64' };

function objectOf(name: string, fields: Readonly<Record<string, Schema>>, rest: Partial<ObjectSchema> = {}): ObjectSchema {
  const made = Object.entries(fields).map(([field, schema]): [string, FieldSchema] => [
    field,
    {
      name: field,
      schema,
      required: false,
      presence: 'kept',
      patchStrategy: [],
      goType: '',
      ...(field === 'protocol' && { default: 'TCP' }),
    },
  ]);
  return { type: 'object', name, fields: new Map(made), preserveUnknown: false, atomic: false, gvks: [], unions: [], ...rest };
}

const listOf = (items: Schema, listType: ListSchema['listType'], listMapKeys: readonly string[] = []): ListSchema => ({
  type: 'list',
  items,
  listType,
  listMapKeys,
});

const inner = objectOf('Inner', { a: text, labels: { type: 'map', values: text, atomic: false } });
const port = objectOf('Port', { port: number, protocol: text, name: text });

export const widgetFields = {
  a: text,
  b: number,
  inner,
  whole: objectOf('Whole', { a: text, b: text }, { atomic: true }),
  labels: { type: 'map', values: text, atomic: false },
  selector: { type: 'map', values: text, atomic: true },
  finalizers: listOf(text, 'set'),
  args: listOf(text, 'atomic'),
  ports: listOf(port, 'map', ['port', 'protocol']),
  parts: listOf(objectOf('Part', { name: text, value: text, inner }), 'map', ['name']),
  free: { type: 'any' },
} as const satisfies Readonly<Record<string, Schema>>;

export const widget = objectOf('Widget', widgetFields);

const texts = fc.constantFrom('a', 'b', 'ü<&>');
const words = fc.constantFrom('x', 'y', 'example.com/z', '__proto__');
const labels = fc.dictionary(words, texts, { maxKeys: 3 });
const innerObject = fc.record({ a: texts, labels }, { requiredKeys: [] });
const numbers = fc.constantFrom(80, 443);

/** Objects without two items that have the same keys. */
export const widgets: fc.Arbitrary<Json> = fc.record(
  {
    a: texts,
    b: numbers,
    inner: innerObject,
    whole: fc.record({ a: texts, b: texts }, { requiredKeys: [] }),
    labels,
    selector: labels,
    finalizers: fc.uniqueArray(texts),
    args: fc.array(texts, { maxLength: 2 }),
    ports: fc.uniqueArray(fc.record({ port: numbers, protocol: fc.constantFrom('TCP', 'UDP'), name: texts }, { requiredKeys: ['port'] }), {
      selector: ({ port: number, protocol = 'TCP' }) => `${number}/${protocol}`,
    }),
    parts: fc.uniqueArray(fc.record({ name: words, value: texts, inner: innerObject }, { requiredKeys: ['name'] }), {
      selector: ({ name }) => name,
    }),
    free: fc.dictionary(words, fc.oneof(texts, fc.array(texts, { maxLength: 2 }), labels), { maxKeys: 2 }),
  },
  { requiredKeys: [] },
);
