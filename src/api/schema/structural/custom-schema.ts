/**
 * The schema of a custom resource, of which nothing is made before it is used: a definition that nobody uses costs no more
 * than the object that holds it.
 */
import type { JSONSchemaProps } from '../../generated/apiextensions-v1.ts';
import type { CustomWalkers, ObjectSchema } from '../types.ts';
import { fillDefaults } from './fill-defaults.ts';
import { keep, prune } from './prune.ts';
import { Structural } from './structural.ts';
import { TypedObject } from './typed-schema.ts';
import { type CustomChange, validateCustom } from './validate-custom.ts';

/** `read` gives one version's `schema.openAPIV3Schema`, and is asked when the schema is first used. */
export function schemaOfCustomResource(read: () => JSONSchemaProps | undefined): ObjectSchema {
  return new CustomSchema(read);
}

class CustomSchema implements ObjectSchema, CustomWalkers {
  readonly type = 'object' as const;
  readonly name = '';
  readonly atomic = false;
  readonly gvks = [];
  readonly unions = [];
  readonly #read: () => JSONSchemaProps | undefined;
  #root: Structural | undefined;
  #typed: TypedObject | undefined;
  constructor(read: () => JSONSchemaProps | undefined) {
    this.#read = read;
  }
  get #structural(): Structural {
    this.#root ??= new Structural(this.#read() ?? {});
    return this.#root;
  }
  get custom(): CustomWalkers {
    return this;
  }
  get preserveUnknown(): boolean {
    return this.#structural.preserves;
  }
  get fields(): ObjectSchema['fields'] {
    this.#typed ??= new TypedObject(this.#structural, this.#structural.preserves, true);
    return this.#typed.fields;
  }
  prune(object: Readonly<Record<string, unknown>>): ReturnType<CustomWalkers['prune']> {
    return prune(this.#structural, object);
  }
  keep<T extends object>(object: T): T {
    return keep(this.#structural, object as Readonly<Record<string, unknown>>) as T;
  }
  fill<T extends object>(object: T): T {
    return fillDefaults(this.#structural, object) as T;
  }
  validate(object: object, change: CustomChange): ReturnType<CustomWalkers['validate']> {
    return validateCustom(this.#structural, object as Readonly<Record<string, unknown>>, change);
  }
}
