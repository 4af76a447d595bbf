/** `example.com/v1 Widget`: a kind that no table knows, as a definition of a custom resource makes one. */

import type { JSONSchemaProps } from '../../src/api/generated/apiextensions-v1.ts';
import type { ServedResource } from '../../src/api/kinds/kind-snapshot.ts';
import type { Cell, Column, Kind } from '../../src/api/meta/kind.ts';
import type { KubeObject, New } from '../../src/api/meta/object.ts';
import type { FieldSchema, ObjectSchema, Schema } from '../../src/api/schema/types.ts';
import { typeSchema } from '../../src/api/schema/types.ts';

export interface Widget extends KubeObject {
  readonly spec?: { readonly size?: number; readonly color?: string };
  readonly status?: { readonly ready?: boolean };
}

const field = (name: string, schema: Schema, more: Partial<FieldSchema> = {}): [string, FieldSchema] => [
  name,
  { name, schema, required: false, patchStrategy: [], presence: 'kept', goType: '', ...more },
];

const object = (...fields: readonly [string, FieldSchema][]): ObjectSchema => ({
  type: 'object',
  name: '',
  fields: new Map(fields),
  preserveUnknown: false,
  atomic: false,
  gvks: [],
  unions: [],
});

const schemaOf = (spec: ObjectSchema): ObjectSchema =>
  object(
    field('apiVersion', { type: 'string' }),
    field('kind', { type: 'string' }),
    field('metadata', typeSchema('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'), { goType: 'v1.ObjectMeta' }),
    field('spec', spec),
    field('status', object(field('ready', { type: 'boolean' }))),
  );

const size = field('size', { type: 'int32' }, { default: 1, goType: 'int32' });
/** with a size only, and with a color too */
export const plainSchema = schemaOf(object(size));
/** of another version */
export const widthSchema = schemaOf(object(field('width', { type: 'int32' }, { goType: 'int32' })));
export const colorfulSchema = schemaOf(object(size, field('color', { type: 'string' }, { goType: 'string' })));

const generations = new Map<ObjectSchema, number>();

function generationOf(schema: ObjectSchema): number {
  generations.set(schema, generations.get(schema) ?? generations.size + 1);
  return generations.get(schema) ?? 0;
}

/** As a definition would say it. */
function saidOf({ fields }: ObjectSchema): JSONSchemaProps {
  const properties = [...fields.values()]
    .filter(({ name }) => name !== 'metadata')
    .map(({ name, schema }) => [
      name,
      schema.type === 'object' ? saidOf(schema) : { type: schema.type === 'int32' ? 'integer' : schema.type },
    ]);
  return { type: 'object', properties: Object.fromEntries(properties) };
}

const columns: readonly Column[] = [
  { name: 'Name', type: 'string', format: 'name', priority: 0 },
  { name: 'Size', type: 'integer', format: '', priority: 0 },
];
const cells = ({ metadata, spec }: Widget): readonly Cell[] => [metadata.name ?? '', spec?.size ?? null];

const own = { verbs: ['get', 'patch', 'update'], kind: { group: 'example.com', version: 'v1', kind: 'Widget' } };

export function widgetKind(change: Partial<Kind<Widget>> = {}): Kind<Widget> {
  const { schema = plainSchema } = change;
  return {
    definition: { uid: '', generation: generationOf(schema), selectableFields: [], schema: () => saidOf(schema) },
    group: 'example.com',
    version: 'v1',
    kind: 'Widget',
    resource: 'widgets',
    namespaced: true,
    typeName: '',
    schema: plainSchema,
    storageVersion: { group: 'example.com', version: 'v1' },
    hashedVersion: 'v1',
    convert: undefined,
    convertRemotely: undefined,
    singular: 'widget',
    listKind: 'WidgetList',
    shortNames: ['wd'],
    categories: ['all'],
    verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    subresources: { status: own },
    scale: undefined,
    columns,
    selectableFields: new Map([
      ['metadata.name', ({ metadata }: Widget) => metadata.name ?? ''],
      ['metadata.namespace', ({ metadata }: Widget) => metadata.namespace ?? ''],
    ]),
    describeUnknownField: (name) => `field label not supported: ${name}`,
    hooks: {
      prepareForCreate({ status: _, ...widget }: Widget) {
        return widget as Widget;
      },
      cells,
    },
    hasGeneration: true,
    validateName: () => [],
    returnsDeletedObject: false,
    orphansByDefault: false,
    isCollected: true,
    isComputed: false,
    allowCreateOnUpdate: false,
    allowUnconditionalUpdate: false,
    storagePrefix: 'example.com/widgets',
    indexedField: undefined,
    bulkyFields: [],
    ttlSeconds: undefined,
    isTerminating: false,
    deprecation: undefined,
    ...change,
  };
}

/** Its versions; the first is stored. */
export function widgets(...versions: readonly [Kind<Widget>, ...Kind<Widget>[]]): ServedResource {
  return { group: 'example.com', resource: 'widgets', versions: versions as readonly Kind[], stored: versions[0] as Kind };
}

export const newWidget = (name: string, more: Partial<Widget> = {}): New<Widget> => ({
  metadata: { name, namespace: 'default' },
  spec: { size: 3 },
  ...more,
});
