/**
 * Where finished requests are told to, for an audit log. Without a sink nothing is collected.
 * What it does not do: audit policies, stages before the answer, bodies.
 */
import type { Exchange } from './exchange.ts';
import type { UserInfo } from './request.ts';
import type { Route } from './route.ts';

export interface AuditRecord {
  readonly exchange: Exchange;
  /** absent: not authenticated */
  readonly user: UserInfo | undefined;
  readonly verb: string;
  readonly route: Route | undefined;
}

export interface AuditSink {
  record(record: AuditRecord): void;
}
