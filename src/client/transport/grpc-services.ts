/**
 * gRPC services from a table (JSON as protobufjs has it, made from a .proto): the CRI's and etcd's. The messages have field
 * names in camelCase. Loaded where it is first used.
 */
import type { ServiceClientConstructor } from '@grpc/grpc-js';

type Json = { readonly [key: string]: Json } | string | number | boolean | null | readonly Json[];

/**
 * A descriptor with its field names in camelCase, and each enumeration's zero value first: that is the one that
 * protobufjs gives for a field that is not on the wire.
 */
export function prepareDescriptor(descriptor: Json): Json {
  if (descriptor === null || typeof descriptor !== 'object' || Array.isArray(descriptor)) return descriptor;
  return Object.fromEntries(
    Object.entries(descriptor).map(([key, value]) => {
      if (key === 'fields') return [key, renameKeys(value)];
      if (key === 'oneof') return [key, (value as readonly string[]).map(toCamelCase)];
      if (key === 'values') return [key, sortByNumber(value as Readonly<Record<string, number>>)];
      return [key, prepareDescriptor(value)];
    }),
  );
}

const sortByNumber = (values: Readonly<Record<string, number>>): Json =>
  Object.fromEntries(Object.entries(values).sort(([, a], [, b]) => a - b));

function renameKeys(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields as Readonly<Record<string, Json>>).map(([name, field]) => [toCamelCase(name), field]));
}
const toCamelCase = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Messages that are not set come as null: removed, so that they are absent. */
export function withoutNulls<T>(message: T): T {
  if (Array.isArray(message)) for (const item of message) withoutNulls(item);
  else if (message !== null && typeof message === 'object' && !Buffer.isBuffer(message)) {
    const record = message as Record<string, unknown>;
    for (const [key, value] of Object.entries(record)) {
      if (value === null) delete record[key];
      else withoutNulls(value);
    }
  }
  return message;
}

/** The services of a descriptor, by their full names. `longs`: what an int64 becomes, of whose numbers some may be beyond 2^53. */
export async function loadServices<Name extends string>(
  descriptor: object,
  names: readonly Name[],
  longs: typeof Number | typeof String = Number,
): Promise<Record<Name, ServiceClientConstructor>> {
  const [{ fromJSON }, grpc] = await Promise.all([import('@grpc/proto-loader'), import('@grpc/grpc-js')]);
  const definition = fromJSON(prepareDescriptor(descriptor as Json) as Parameters<typeof fromJSON>[0], {
    keepCase: true,
    longs,
    enums: String,
    defaults: true,
    arrays: true,
    objects: true,
  });
  const constructors = names.map((name) => {
    const service = definition[name];
    if (!service || 'format' in service) throw new Error(`no service ${name} in the descriptor`);
    return [name, grpc.makeClientConstructor(service, name)] as const;
  });
  return Object.fromEntries(constructors) as Record<Name, ServiceClientConstructor>;
}
