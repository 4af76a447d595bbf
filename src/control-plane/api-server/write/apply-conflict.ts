/** What a client is told whose apply would take fields from others. Upstream: apimachinery/pkg/util/managedfields/internal/conflict.go. */
import type { Conflict } from '../../../api/apply/change-managers.ts';
import type { Manager } from '../../../api/apply/managers.ts';
import { describePath } from '../../../api/apply/path-element.ts';
import { StatusError } from '../../../api/meta/status-error.ts';

/** Fields that are told of one apply. */
const causesMax = 1000;

export function conflictError(conflicts: readonly Conflict[]): StatusError {
  const causes = conflicts.slice(0, causesMax).map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${describeManager(manager)}`,
    field: describePath(path),
  }));
  return new StatusError({ code: 409, reason: 'Conflict', message: messageOf(conflicts), details: { causes } });
}

function messageOf(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (first && conflicts.length === 1) {
    return `Apply failed with 1 conflict: conflict with ${describeManager(first.manager)}: ${describePath(first.path)}`;
  }
  const byManager = Map.groupBy(conflicts.slice(0, causesMax), ({ manager }) => describeManager(manager));
  const lines = [...byManager].flatMap(([name, own]) => [`conflicts with ${name}:`, ...own.map(({ path }) => `- ${describePath(path)}`)]);
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}

function describeManager({ manager, operation, apiVersion, subresource }: Manager): string {
  const name = JSON.stringify(manager) + (subresource ? ` with subresource ${JSON.stringify(subresource)}` : '');
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}
