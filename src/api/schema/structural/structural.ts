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

/** A value of which nothing is said (`additionalProperties: true`): objects in it lose all their fields. */
export const unsaid = null;

export class Structural {
  readonly said: JSONSchemaProps;
  readonly preserves: boolean;
  readonly isEmbedded: boolean;
  /** null is no value here, and there is no default to take its place */
  readonly dropsNull: boolean;
  #properties: Map<string, Structural> | undefined;
  #items: Structural | null | undefined;
  #additional: Structural | typeof unsaid | undefined;
  #fills: boolean | undefined;
  #filling: readonly (readonly [string, Structural])[] | undefined;

  constructor(said: JSONSchemaProps) {
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
    const property = new Structural(said);
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

  get items(): Structural | undefined {
    if (this.#items === undefined) this.#items = isSchema(this.said.items) ? new Structural(this.said.items) : null;
    return this.#items ?? undefined;
  }

  /** Of fields that are no property; undefined where there may be none. */
  get additional(): Structural | typeof unsaid | undefined {
    const said = this.said.additionalProperties;
    if (said === undefined || said === null) return undefined;
    if (this.#additional === undefined) this.#additional = isSchema(said) ? new Structural(said) : unsaid;
    return this.#additional;
  }

  field(name: string): Structural | typeof unsaid | undefined {
    return this.property(name) ?? this.additional;
  }

  /** Whether there is a default here or below. */
  get fills(): boolean {
    this.#fills ??= hasDefault(this.said);
    return this.#fills;
  }

  /** The properties with a default, or one below them. */
  get filling(): readonly (readonly [string, Structural])[] {
    this.#filling ??= [...this.properties()].filter(([, property]) => property.fills);
    return this.#filling;
  }
}

function isSchema(said: unknown): said is JSONSchemaProps {
  return typeof said === 'object' && said !== null && !Array.isArray(said);
}

/** Without making nodes: most schemas have no default. */
function hasDefault(said: JSONSchemaProps): boolean {
  if (said.default !== undefined) return true;
  if (isSchema(said.items) && hasDefault(said.items)) return true;
  if (isSchema(said.additionalProperties) && hasDefault(said.additionalProperties)) return true;
  for (const name in said.properties) {
    const property = own(said.properties, name);
    if (property && hasDefault(property)) return true;
  }
  return false;
}
