/** The CRI's errors as ours. */
import type { ServiceError } from '@grpc/grpc-js';
import { RuntimeError, type RuntimeErrorCode, runtimeErrorCodes } from './container-runtime.ts';

const codeNames = new Map<number, RuntimeErrorCode>(
  Object.entries(runtimeErrorCodes).map(([name, code]) => [code, name as RuntimeErrorCode]),
);

export function toRuntimeError(error: ServiceError): RuntimeError {
  return new RuntimeError(codeNames.get(error.code) ?? 'Unknown', error.details || error.message, { cause: error });
}
