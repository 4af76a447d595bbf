/**
 * The audit of a cluster's API server, as its configuration asks for it: the policy read from its file, the log opened,
 * and what is written and lost counted under upstream's metric names. Without a policy there is no audit.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Counter, type Registry } from 'prom-client';
import type { Clock } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import { type AuditLog, openAuditLog } from '../../control-plane/api-server/audit/audit-log.ts';
import { type AuditPolicy, parseAuditPolicy } from '../../control-plane/api-server/audit/audit-policy.ts';
import { OperationError } from '../operation-error.ts';
import { type ClusterConfig, configDefaults } from '../settings/config.ts';

export interface AuditOptions {
  readonly config: ClusterConfig;
  /** absent: all of the cluster is in memory, and the log has to be given a place */
  readonly dataDir?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Registry;
  readonly stack: AsyncDisposableStack;
}

export async function openAudit(options: AuditOptions): Promise<{ readonly policy: AuditPolicy; readonly sink: AuditLog } | undefined> {
  const { config, dataDir, clock, log, metrics, stack } = options;
  const { auditPolicyFile, auditLogPath } = config;
  const path = auditLogPath ?? (dataDir === undefined ? undefined : join(dataDir, 'audit.log'));
  if (auditPolicyFile === undefined) {
    const [alone] = Object.entries(config).flatMap(([name, value]) => (name.startsWith('auditLog') && value !== undefined ? [name] : []));
    if (alone === undefined) return undefined;
    throw refusal(`${alone} is about an audit log, and nothing says what it keeps`, 'give auditPolicyFile too');
  }
  if (path === undefined) throw refusal('an audit log needs a place', 'give auditLogPath');
  const policy = await readPolicy(resolve(auditPolicyFile));
  const sink = await openAuditLog({
    path: resolve(path),
    maxSizeMiB: config.auditLogMaxsize ?? configDefaults.auditLogMaxsize,
    maxBackups: config.auditLogMaxbackup ?? configDefaults.auditLogMaxbackup,
    maxAgeDays: config.auditLogMaxage ?? configDefaults.auditLogMaxage,
    clock,
    log,
  }).catch((cause: unknown) => {
    throw refusal(`can't write ${path}`, 'give another auditLogPath', cause);
  });
  stack.use(sink);
  count(metrics, sink);
  return { policy, sink };
}

async function readPolicy(file: string): Promise<AuditPolicy> {
  const { parseYaml } = await import('../../api/schema/yaml/read-yaml.ts');
  try {
    return parseAuditPolicy(parseYaml(await readFile(file, 'utf8')));
  } catch (cause) {
    throw refusal(`can't use the audit policy ${file}`, 'give a Policy of audit.k8s.io/v1 in YAML or JSON', cause);
  }
}

const refusal = (message: string, fix: string, cause?: unknown): OperationError =>
  new OperationError({ code: 'bad-config', message, fix, cause });

function count(registry: Registry, sink: Pick<AuditLog, 'written' | 'lost'>): void {
  new Counter({
    name: 'apiserver_audit_event_total',
    help: 'Counter of audit events generated and sent to the audit backend.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(sink.written + sink.lost);
    },
  });
  new Counter({
    name: 'apiserver_audit_error_total',
    help: 'Counter of audit events that were lost',
    labelNames: ['plugin'],
    registers: [registry],
    collect() {
      this.reset();
      this.inc({ plugin: 'log' }, sink.lost);
    },
  });
}
