/**
 * The versions of a custom resource, and its way between them and the store. What is stored is read by the schema of its
 * own version as it is now, which may know less than when it was written, or fill in more; then it is converted, by its
 * apiVersion alone or by a webhook, and keeps what the other version knows.
 * Upstream: apiextensions-apiserver/pkg/apiserver/customresource_handler.go (crdConversionRESTOptionsGetter).
 */
import type { CustomResourceDefinitionSpec, JSONSchemaProps } from '../../generated/apiextensions-v1.ts';
import type { RemoteConversion, VersionConversion } from '../../meta/kind.ts';
import { type KubeObject, versionOf } from '../../meta/object.ts';
import { schemaOfCustomResource } from '../../schema/structural/custom-schema.ts';
import type { ObjectSchema } from '../../schema/types.ts';
import { listOf } from '../lists.ts';

/** What v1beta1 could ask for: nothing is dropped. */
const preserving = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

export class CustomVersions {
  readonly #group: string;
  readonly #spec: CustomResourceDefinitionSpec;
  readonly #schemas: ReadonlyMap<string, ObjectSchema>;

  constructor(spec: CustomResourceDefinitionSpec) {
    this.#group = spec.group;
    this.#spec = spec;
    this.#schemas = new Map(listOf(spec.versions).map(({ name }) => [name, schemaOfCustomResource(() => this.said(name))]));
  }

  /** What is said of a version. */
  said(version: string): JSONSchemaProps {
    const { versions, preserveUnknownFields } = this.#spec;
    if (preserveUnknownFields) return preserving;
    return listOf(versions).find(({ name }) => name === version)?.schema?.openAPIV3Schema ?? preserving;
  }

  schema(version: string): ObjectSchema {
    const schema = this.#schemas.get(version);
    if (!schema) throw new Error(`${this.#group} has no version ${version}`);
    return schema;
  }

  /** Between a version and the stored one, where nobody has to be asked. */
  conversion(version: string, stored: string): VersionConversion {
    return {
      toStorage: (object) => this.#as(object, stored),
      fromStorage: (object) => this.#as(this.#read(object), version),
    };
  }

  /** The same through somebody else. */
  remotely(ask: RemoteConversion): RemoteConversion {
    return async (objects, apiVersion) => {
      const converted = await ask(
        objects.map((object) => this.#read(object)),
        apiVersion,
      );
      return converted.map((object) => this.#kept(object));
    };
  }

  /** As it is stored, by what its version says now. */
  #read(object: KubeObject): KubeObject {
    const { custom } = this.#schemaOf(object);
    return custom ? custom.fill(custom.keep(object)) : object;
  }

  #as(object: KubeObject, version: string): KubeObject {
    const apiVersion = `${this.#group}/${version}`;
    return object.apiVersion === apiVersion ? object : this.#kept({ ...object, apiVersion });
  }

  #kept(object: KubeObject): KubeObject {
    return this.#schemaOf(object).custom?.keep(object) ?? object;
  }

  #schemaOf({ apiVersion }: KubeObject): ObjectSchema {
    return this.schema(versionOf(apiVersion));
  }
}
