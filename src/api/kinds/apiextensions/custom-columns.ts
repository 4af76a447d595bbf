/**
 * How custom resources are shown: their name, and what the paths of additionalPrinterColumns find, else their age.
 * A path that can't be read leaves the name alone. Upstream: apiextensions-apiserver/pkg/registry/customresource/tableconvertor.
 */
import type { CustomResourceColumnDefinition } from '../../generated/apiextensions-v1.ts';
import { formatDuration } from '../../meta/duration.ts';
import { escapeAsGo } from '../../meta/go-json.ts';
import { type JsonPath, PathError, parseJsonPath } from '../../meta/json-path.ts';
import type { Cell, Column, KindHooks } from '../../meta/kind.ts';
import { parseTime } from '../../meta/time.ts';
import { own } from '../../meta/words.ts';

type ColumnDefinition = CustomResourceColumnDefinition;

const nameColumn: Column = { name: 'Name', type: 'string', format: 'name', priority: 0 };
const age: ColumnDefinition = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

export interface CustomDisplay {
  readonly columns: readonly Column[];
  readonly cells: NonNullable<KindHooks['cells']>;
}

export function customDisplay(given: readonly ColumnDefinition[]): CustomDisplay {
  const definitions = given.length > 0 ? given : [age];
  let made: { readonly columns: readonly Column[]; readonly paths: readonly JsonPath[] } | undefined;
  const make = () => {
    const paths = pathsOf(definitions);
    return { columns: paths.length > 0 ? [nameColumn, ...definitions.map(columnOf)] : [nameColumn], paths };
  };
  return {
    get columns() {
      made ??= make();
      return made.columns;
    },
    cells(object, { nowMs }) {
      made ??= make();
      return [object.metadata.name ?? '', ...made.paths.map((path, i) => cellOf(firstAt(path, object), definitions[i]?.type ?? '', nowMs))];
    },
  };
}

/** Of all paths of one version. */
const pathCharactersMax = 64 * 1024;

/** None, if one of them can't be read, or they are too long together. */
function pathsOf(definitions: readonly ColumnDefinition[]): readonly JsonPath[] {
  if (definitions.reduce((sum, { jsonPath }) => sum + jsonPath.length, 0) > pathCharactersMax) return [];
  try {
    return definitions.map(({ jsonPath }) => parseJsonPath(jsonPath));
  } catch (error) {
    if (error instanceof PathError) return [];
    throw error;
  }
}

const columnOf = ({ name, type, format = '', priority = 0, description, jsonPath }: ColumnDefinition): Column => ({
  name,
  type,
  format,
  priority,
  description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
});

/** undefined: nothing there, or nothing that can be looked at in this way */
function firstAt(path: JsonPath, object: object): unknown {
  try {
    return path(object)[0];
  } catch (error) {
    if (error instanceof PathError) return undefined;
    throw error;
  }
}

function cellOf(value: unknown, type: string, nowMs: number): Cell {
  if (value === undefined) return null;
  switch (type) {
    case 'string':
      return textOf(value);
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value === 'string' ? howLongAgo(value, nowMs) : null;
    default:
      return null;
  }
}

function howLongAgo(text: string, nowMs: number): string {
  if (text === '' || text === 'null') return '<unknown>';
  const atMs = parseTime(text);
  return atMs === undefined ? '<invalid>' : formatDuration(nowMs - atMs);
}

function textOf(value: unknown): string {
  if (value === null) return '<no value>';
  if (typeof value === 'object') return writeJson(value);
  return typeof value === 'number' && !Number.isInteger(value) ? formatFloat(value) : String(value);
}

/** `2.5000005e+06`: Go turns to exponents at a million. */
function formatFloat(value: number): string {
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
  const power = Math.abs(Number(exponent));
  if (Number(exponent) >= -4 && Number(exponent) < floatDigitsMax) return String(value);
  return `${mantissa}e${Number(exponent) < 0 ? '-' : '+'}${String(power).padStart(2, '0')}`;
}
const floatDigitsMax = 6;

/** As Go writes it, keys in order. */
const writeJson = (value: object): string => escapeAsGo(JSON.stringify(sorted(value)));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value).toSorted();
  return Object.fromEntries(keys.map((key) => [key, sorted(own(value as Readonly<Record<string, unknown>>, key))]));
}
