/** Where finished requests are told to, for an audit log. */
import type { ApiRequest } from './api-request.ts';

export interface AuditSink {
  /** The user of a request that was not authenticated has no name. */
  record(request: ApiRequest, code: number): void;
}
