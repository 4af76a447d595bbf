/**
 * Custom resources as OpenAPI schemas, from what their definitions say. Version 3 says it all; version 2 leaves out what
 * it has no form for, and what kubectl would take for a refusal: the fields of what may have others, types of what may be null.
 * Upstream: apiextensions-apiserver/pkg/controller/openapi/{builder,v2}, as published by a 1.36 API server.
 */
import type { JSONSchemaProps } from '../../../api/generated/apiextensions-v1.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import type { Kind, KindDefinition } from '../../../api/meta/kind.ts';
import { own, put } from '../../../api/meta/words.ts';
import type { Json, SchemaRenderer } from './openapi-schemas.ts';

type Said = JSONSchemaProps;
type Render = (renderer: SchemaRenderer) => Json;

const metaTypes = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
const conventions = 'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md';
/** What is said of the metadata of every kind, and of lists; people read it by `kubectl explain`. */
const metadataOf = {
  item: { type: 'ObjectMeta', description: `Standard object's metadata. More info: ${conventions}#metadata` },
  list: { type: 'ListMeta', description: `Standard list metadata. More info: ${conventions}#types-kinds` },
} as const;
/** whose texts say of every kind what apiVersion and kind are */
const describedType = 'io.k8s.api.core.v1.Pod';

/** The type of a kind: its fields, and those that every object has. */
export const customType =
  (kind: Kind, definition: KindDefinition): Render =>
  (renderer) => {
    const { version } = renderer;
    const said = definition.schema();
    const ends = { ...typeOf(kind, kind.kind), ...fieldPaths(definition) };
    if (version === 2 && said['x-kubernetes-preserve-unknown-fields']) return { type: 'object', ...ends };
    const shape = shapeOf(renderer, said);
    const meta = metaFields(renderer, 'item');
    return { ...shape, properties: sorted({ ...(shape['properties'] as Json | undefined), ...meta }), ...ends };
  };

/** The type of its lists. */
export const customListType =
  (kind: Kind, definition: KindDefinition, itemType: string): Render =>
  (renderer) => ({
    description: `${kind.listKind} is a list of ${kind.kind}`,
    type: 'object',
    required: ['items'],
    properties: sorted({
      ...metaFields(renderer, 'list'),
      items: {
        description: `List of ${kind.resource}. More info: ${conventions}`,
        type: 'array',
        items: renderer.reference(itemType),
      },
    }),
    ...typeOf(kind, kind.listKind),
    ...fieldPaths(definition),
  });

const typeOf = ({ group, version }: Kind, kind: string): Json => ({ 'x-kubernetes-group-version-kind': [{ group, kind, version }] });

const fieldPaths = ({ selectableFields }: KindDefinition): Json =>
  selectableFields.length > 0 ? { 'x-kubernetes-selectable-fields': selectableFields.map((fieldPath) => ({ fieldPath })) } : {};

function metaFields(renderer: SchemaRenderer, of: keyof typeof metadataOf): Json {
  const { type, description } = metadataOf[of];
  const reference = renderer.reference(metaTypes + type);
  const text = (field: string): Json => {
    const said = renderer.descriptions.ofField(describedType, field);
    return { ...(said !== undefined && { description: said }), type: 'string' };
  };
  return {
    apiVersion: text('apiVersion'),
    kind: text('kind'),
    metadata: { description, ...(renderer.version === 2 ? reference : { allOf: [reference] }) },
  };
}

const sorted = (properties: Json): Json => Object.fromEntries(Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1)));

const isSaid = (value: unknown): value is Said => typeof value === 'object' && value !== null && !Array.isArray(value);

function shapeOf(renderer: SchemaRenderer, said: Said): Json {
  const shape: Json = {};
  for (const [name, value] of Object.entries(renderer.version === 2 ? saidInV2(said) : unfolded(said))) {
    const next = partOf(renderer, name, value);
    if (next !== undefined) put(shape, name, next);
  }
  return said['x-kubernetes-embedded-resource'] ? withEmbedded(renderer, said, shape) : shape;
}

function partOf(renderer: SchemaRenderer, name: string, value: unknown): unknown {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return undefined;
  if (name === 'properties') {
    const rendered = Object.entries(value as Readonly<Record<string, Said>>).map(([key, each]) => [key, shapeOf(renderer, each)]);
    return sorted(Object.fromEntries(rendered));
  }
  const hasShape = name === 'items' || name === 'additionalProperties';
  return hasShape && isSaid(value) ? shapeOf(renderer, value) : value;
}

const intOrString = [{ type: 'integer' }, { type: 'string' }];

/** An integer or a string, said in OpenAPI's own words too. */
function unfolded(said: Said): Said {
  const { allOf = [], anyOf } = said;
  if (!said['x-kubernetes-int-or-string'] || equalJson(anyOf, intOrString) || equalJson(allOf[0]?.anyOf, intOrString)) return said;
  return anyOf ? { ...said, allOf: [{ anyOf: intOrString }, ...allOf] } : { ...said, anyOf: intOrString };
}

const notInV2 = ['allOf', 'anyOf', 'oneOf', 'not', 'default', 'nullable'] as const;

function saidInV2(said: Said): Said {
  const { type: _, items: _items, properties: _properties, ...rest } = said;
  const hasLost = said.nullable || said['x-kubernetes-preserve-unknown-fields'];
  const hasType = !hasLost && (said.type !== 'array' || said.items !== undefined);
  const kept: Said = hasLost ? { ...rest, ...keptType(said) } : hasType ? said : { ...rest, properties: said.properties ?? {} };
  const open: Record<string, unknown> = { ...kept };
  for (const name of notInV2) delete open[name];
  const isNullable = (name: string): boolean => own(said.properties, name)?.nullable === true;
  if (said.required)
    open['required'] =
      isSaid(said.additionalProperties) && said.additionalProperties.nullable ? [] : said.required.filter((name) => !isNullable(name));
  return open;
}

/** Of what keeps unknown fields, kubectl can't bear objects and lists. */
const keptType = ({ nullable, type }: Said): Said =>
  nullable || type === 'object' || type === 'array' || type === undefined ? {} : { type };

/** What every object has, also one within another. */
function withEmbedded(renderer: SchemaRenderer, said: Said, shape: Json): Json {
  if (renderer.version === 2 && said['x-kubernetes-preserve-unknown-fields']) return shape;
  const required = (shape['required'] as readonly string[] | undefined) ?? [];
  const missing = ['kind', 'apiVersion'].filter((name) => !required.includes(name));
  const meta = metaFields(renderer, 'item');
  return {
    ...shape,
    required: [...required, ...missing],
    properties: sorted({ ...(shape['properties'] as Json | undefined), ...meta }),
  };
}
