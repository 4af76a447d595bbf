/**
 * A node of a structural schema: what a CustomResourceDefinition says of one value, with its children, which are made
 * when they are first asked for. A node does not care for its type: properties count for objects and items for lists,
 * whatever `type` says, as upstream's walkers have it.
 *
 * Only for schemas that were accepted (checks/): what is forbidden there is not looked at here.
 * Upstream: apiextensions-apiserver/pkg/apiserver/schema/structural.go.
 */
import type { JSONSchemaProps } from '../../generated/apiextensions-v1.ts';
import { own } from '../../meta/words.ts';
import { countingFormat } from './formats.ts';
import type { NumberRules } from './judge-number.ts';

/** A value of which nothing is said (`additionalProperties: true`): objects in it lose all their fields. */
export const unsaid = null;

export class Structural {
  readonly said: JSONSchemaProps;
  readonly preserves: boolean;
  readonly isEmbedded: boolean;
  /** null is no value here, and there is no default to take its place */
  readonly dropsNull: boolean;
  #properties: Map<string, Structural> | undefined;
  #rules: ValueRules | undefined;
  #items: Structural | null | undefined;
  #additional: Structural | typeof unsaid | undefined;
  #fills: boolean | undefined;
  #embeds: boolean | undefined;
  #keysLists: boolean | undefined;
  #hasRules: boolean | undefined;
  #filling: readonly (readonly [string, Structural])[] | undefined;

  /** types and formats count as they are said: integer or string is none, and no format is without meaning (for defaults, as upstream has it) */
  readonly #isVerbatim: boolean;
  constructor(said: JSONSchemaProps, { isVerbatim }: { isVerbatim: boolean } = { isVerbatim: false }) {
    this.#isVerbatim = isVerbatim;
    this.said = said;
    this.preserves = said['x-kubernetes-preserve-unknown-fields'] ?? false;
    this.isEmbedded = said['x-kubernetes-embedded-resource'] ?? false;
    this.dropsNull = !said.nullable && said.default === undefined;
  }

  property(name: string): Structural | undefined {
    const made = this.#properties?.get(name);
    if (made) return made;
    const said = own(this.said.properties, name);
    if (!said) return undefined;
    const property = this.#child(said);
    this.#properties ??= new Map();
    this.#properties.set(name, property);
    return property;
  }

  /** All of them, in their order. */
  properties(): readonly (readonly [string, Structural])[] {
    return Object.keys(this.said.properties ?? {}).flatMap((name) => {
      const property = this.property(name);
      return property ? [[name, property] as const] : [];
    });
  }

  /** What is said of values, apart from their structure. */
  get rules(): ValueRules {
    this.#rules ??= this.#makeRules();
    return this.#rules;
  }

  get items(): Structural | undefined {
    if (this.#items === undefined) this.#items = isSchema(this.said.items) ? this.#child(this.said.items) : null;
    return this.#items ?? undefined;
  }

  /** Of fields that are no property; undefined where there may be none. */
  get additional(): Structural | typeof unsaid | undefined {
    const said = this.said.additionalProperties;
    if (said === undefined || said === null) return undefined;
    if (this.#additional === undefined) this.#additional = isSchema(said) ? this.#child(said) : unsaid;
    return this.#additional;
  }

  field(name: string): Structural | typeof unsaid | undefined {
    return this.property(name) ?? this.additional;
  }

  /** Whether there is a default here or below. */
  get fills(): boolean {
    this.#fills ??= saysSomewhere(this.said, (said) => said.default !== undefined);
    return this.#fills;
  }

  /** Whether there is an embedded resource here or below. */
  get embeds(): boolean {
    this.#embeds ??= saysSomewhere(this.said, (said) => said['x-kubernetes-embedded-resource'] ?? false);
    return this.#embeds;
  }

  /** Whether there is a list here or below whose items are told apart. */
  get keysLists(): boolean {
    this.#keysLists ??= saysSomewhere(this.said, (said) => (said['x-kubernetes-list-type'] ?? 'atomic') !== 'atomic');
    return this.#keysLists;
  }

  /** Whether there are rules in CEL here or below. */
  get hasRules(): boolean {
    this.#hasRules ??= saysSomewhere(this.said, (said) => said['x-kubernetes-validations'] !== undefined);
    return this.#hasRules;
  }

  #child(said: JSONSchemaProps): Structural {
    return new Structural(said, { isVerbatim: this.#isVerbatim });
  }

  #makeRules(): ValueRules {
    const { said } = this;
    const isEither = said['x-kubernetes-int-or-string'] && !this.#isVerbatim;
    const types = isEither ? ['integer', 'string'] : said.type ? [said.type] : [];
    const [type = ''] = types.length === 1 ? types : [];
    const format = this.#isVerbatim ? (said.format ?? '') : countingFormat(type, said.format ?? '');
    const isNumber = type === 'integer' || type === 'number';
    const each = (list: readonly JSONSchemaProps[] = []): readonly Structural[] => list.map((schema) => this.#child(schema));
    const { multipleOf, minimum, maximum } = said;
    return {
      said,
      types,
      typeText: types.join(','),
      format,
      numberType: isNumber ? type : '',
      numberFormat: isNumber ? countingFormat(type, format) : '',
      hasBounds: isNumber || multipleOf !== undefined || minimum !== undefined || maximum !== undefined,
      enum: said.enum?.length ? said.enum : undefined,
      joins: said.allOf !== undefined || said.anyOf !== undefined || said.oneOf !== undefined || said.not !== undefined,
      allOf: each(said.allOf),
      anyOf: each(said.anyOf),
      oneOf: each(said.oneOf),
      not: said.not && this.#child(said.not),
    };
  }

  /** The properties with a default, or one below them. */
  get filling(): readonly (readonly [string, Structural])[] {
    this.#filling ??= [...this.properties()].filter(([, property]) => property.fills);
    return this.#filling;
  }
}

export interface ValueRules extends NumberRules {
  readonly types: readonly string[];
  readonly typeText: string;
  /** '' where it says nothing */
  readonly format: string;
  readonly hasBounds: boolean;
  readonly enum: readonly unknown[] | undefined;
  readonly joins: boolean;
  readonly allOf: readonly Structural[];
  readonly anyOf: readonly Structural[];
  readonly oneOf: readonly Structural[];
  readonly not: Structural | undefined;
}

export function isSchema(said: unknown): said is JSONSchemaProps {
  return typeof said === 'object' && said !== null && !Array.isArray(said);
}

/** Whether the schema, or one of its fields, items or values, says such a thing. Makes no nodes. */
export function saysSomewhere(said: JSONSchemaProps, such: (said: JSONSchemaProps) => boolean): boolean {
  if (such(said)) return true;
  if (isSchema(said.items) && saysSomewhere(said.items, such)) return true;
  if (isSchema(said.additionalProperties) && saysSomewhere(said.additionalProperties, such)) return true;
  for (const name in said.properties) {
    const property = own(said.properties, name);
    if (property && saysSomewhere(property, such)) return true;
  }
  return false;
}

/** The same, joined schemas and such as no schema may have included. */
export function saysAnywhere(said: JSONSchemaProps, such: (said: JSONSchemaProps) => boolean): boolean {
  const { items, additionalProperties, additionalItems, dependencies, definitions, patternProperties, properties } = said;
  const below: readonly unknown[] = [
    ...(Array.isArray(items) ? items : [items]),
    ...(said.allOf ?? []),
    ...(said.anyOf ?? []),
    ...(said.oneOf ?? []),
    said.not,
    additionalProperties,
    additionalItems,
    ...[properties, patternProperties, definitions, dependencies].flatMap((each) => Object.values(each ?? {})),
  ];
  return such(said) || below.some((each) => isSchema(each) && saysAnywhere(each, such));
}
