/** What a client is told whose apply would take fields from others. Upstream: apimachinery/pkg/util/managedfields/internal/conflict.go. */
import type { Conflict } from '../../../api/apply/change-managers.ts';
import { pathsOf } from '../../../api/apply/field-set.ts';
import type { Manager } from '../../../api/apply/managers.ts';
import { describePath } from '../../../api/apply/path-element.ts';
import { StatusError } from '../../../api/meta/status-error.ts';

/** Fields that are told of one apply. */
const causesMax = 1000;

export function conflictError(conflicts: readonly Conflict[]): StatusError {
  const all = conflicts.flatMap(({ manager, fields }) =>
    [...pathsOf(fields)].map((path) => ({ name: describeManager(manager), field: describePath(path) })),
  );
  const told = all.slice(0, causesMax);
  const causes = told.map(({ name, field }) => ({ reason: 'FieldManagerConflict', message: `conflict with ${name}`, field }));
  return new StatusError({ code: 409, reason: 'Conflict', message: messageOf(told, all.length), details: { causes } });
}

interface Told {
  readonly name: string;
  readonly field: string;
}

function messageOf(told: readonly Told[], count: number): string {
  const [first] = told;
  if (first && count === 1) return `Apply failed with 1 conflict: conflict with ${first.name}: ${first.field}`;
  const lines = [...Map.groupBy(told, ({ name }) => name)].flatMap(([name, own]) => [
    `conflicts with ${name}:`,
    ...own.map(({ field }) => `- ${field}`),
  ]);
  return `Apply failed with ${count} conflicts: ${lines.join('\n')}`;
}

function describeManager({ manager, operation, apiVersion, subresource }: Manager): string {
  const name = JSON.stringify(manager) + (subresource ? ` with subresource ${JSON.stringify(subresource)}` : '');
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}
