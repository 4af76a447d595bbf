/**
 * Between the CRI's protobuf messages and our types: the descriptor with its field names in camelCase, and answers
 * without the nulls that stand for absent messages.
 */
import type { ServiceClientConstructor, ServiceError } from '@grpc/grpc-js';
import { RuntimeError, type RuntimeErrorCode, runtimeErrorCodes } from './container-runtime.ts';

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

/** The services of a descriptor, by their full names. */
export async function loadServices<Name extends string>(
  descriptor: object,
  names: readonly Name[],
): Promise<Record<Name, ServiceClientConstructor>> {
  const [{ fromJSON }, grpc] = await Promise.all([import('@grpc/proto-loader'), import('@grpc/grpc-js')]);
  const definition = fromJSON(prepareDescriptor(descriptor as Json) as Parameters<typeof fromJSON>[0], {
    keepCase: true,
    longs: Number,
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

const codeNames = new Map<number, RuntimeErrorCode>(
  Object.entries(runtimeErrorCodes).map(([name, code]) => [code, name as RuntimeErrorCode]),
);

export function toRuntimeError(error: ServiceError): RuntimeError {
  return new RuntimeError(codeNames.get(error.code) ?? 'Unknown', error.details || error.message, { cause: error });
}
