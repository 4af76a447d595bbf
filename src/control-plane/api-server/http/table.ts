/**
 * Objects as a Table: what `kubectl get` shows. Cells come from the kind; a row carries its object's metadata unless
 * asked otherwise. Upstream: apiserver/pkg/endpoints/handlers/response.go, pkg/printers/internalversion.
 */
import type { Cell, Kind } from '../../../api/meta/kind.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { fieldErrors } from '../../../api/meta/status-error.ts';
import type { TypeMeta } from '../../../api/schema/encode-protobuf.ts';
import { refuse } from '../request/refusals.ts';

export const metaApiVersion = 'meta.k8s.io/v1';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

export function parseIncludeObject(value: string | null | undefined): IncludeObject {
  if (!value) return 'Metadata';
  if (value === 'None' || value === 'Metadata' || value === 'Object') return value;
  const error = fieldErrors.invalid('includeObject', value, "must be 'Metadata', 'Object', 'None', or empty");
  refuse({ group: 'meta.k8s.io', kind: 'TableOptions' }, '', [error]);
  return 'Metadata';
}

/** How the objects of a kind are shown. */
export interface Display {
  readonly columns: Kind['columns'];
  readonly hooks: Pick<Kind['hooks'], 'cells'>;
}

export interface TableOptions {
  readonly display: Display;
  readonly nowMs: number;
  readonly include: IncludeObject;
  /** false: columns are left out, as in all but the first event of a watch */
  readonly withColumns: boolean;
}

export function renderTable(objects: readonly KubeObject[], metadata: object, options: TableOptions): TypeMeta {
  const rows = objects.map((object) => renderRow(object, options));
  return tableOf(rows, metadata, options);
}

export function renderRow(object: KubeObject, options: TableOptions): object {
  return { cells: cellsOf(object, options), object: rowObject(object, options.include) };
}

/** A bookmark has nothing to show: its row is there for the metadata, whatever was asked for. */
export function renderBookmark(bookmark: KubeObject, options: TableOptions): TypeMeta {
  const cells = options.display.columns.map(({ type }) => (type === 'integer' ? 0 : ''));
  const object = options.include === 'Object' ? bookmark : metadataOnly(bookmark);
  return tableOf([{ cells, object }], { resourceVersion: bookmark.metadata.resourceVersion }, options);
}

function tableOf(rows: readonly object[], metadata: object, { display, withColumns }: TableOptions): TypeMeta {
  const columnDefinitions = withColumns
    ? display.columns.map(({ name, type, format, description = '', priority }) => ({ name, type, format, description, priority }))
    : null;
  return { kind: 'Table', apiVersion: metaApiVersion, metadata, columnDefinitions, rows } as TypeMeta;
}

function cellsOf(object: KubeObject, { display, nowMs }: TableOptions): readonly Cell[] {
  const cells = display.hooks.cells?.(object, { nowMs });
  if (cells) return cells;
  const { name = '', creationTimestamp } = object.metadata;
  return display.columns.map((column) =>
    column.name === 'Name' ? name : column.name === 'Created At' ? (creationTimestamp ?? '') : '<unknown>',
  );
}

function rowObject(object: KubeObject, include: IncludeObject): object | null {
  if (include === 'None') return null;
  return include === 'Object' ? object : metadataOnly(object);
}

/** PartialObjectMetadata. */
export function metadataOnly(object: KubeObject): KubeObject {
  return { kind: 'PartialObjectMetadata', apiVersion: metaApiVersion, metadata: object.metadata };
}
