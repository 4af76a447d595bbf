/** What is found out once for each kind, operation and subresource, and kept until it is cleared or the kind goes. */
import type { Kind } from '../../../api/meta/kind.ts';
import type { AdmissionOperation } from '../request/request.ts';

/** What a request is about, before anybody looks at its object. */
export interface OperationSubject {
  readonly kind: Kind;
  readonly operation: AdmissionOperation;
  readonly subresource?: string | undefined;
}

export class PerOperation<T extends object> {
  readonly #find: (subject: OperationSubject) => T;
  #byKind = new WeakMap<Kind, Map<string, T>>();

  constructor(find: (subject: OperationSubject) => T) {
    this.#find = find;
  }

  of(subject: OperationSubject): T {
    const { kind, operation, subresource } = subject;
    let byOperation = this.#byKind.get(kind);
    if (!byOperation) {
      byOperation = new Map();
      this.#byKind.set(kind, byOperation);
    }
    const key = subresource ? `${operation}/${subresource}` : operation;
    let found = byOperation.get(key);
    if (!found) {
      found = this.#find(subject);
      byOperation.set(key, found);
    }
    return found;
  }

  clear(): void {
    this.#byKind = new WeakMap();
  }
}
