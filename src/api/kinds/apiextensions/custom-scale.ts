/**
 * The `scale` view of custom resources: replicas and selector are where the definition's paths say. Paths are names with
 * points between them. Upstream: apiextensions-apiserver/pkg/registry/customresource/{etcd,validator}.go.
 */
import type { CustomResourceSubresourceScale } from '../../generated/apiextensions-v1.ts';
import type { ScaleView } from '../../meta/kind.ts';
import type { KubeObject } from '../../meta/object.ts';
import { StatusError } from '../../meta/status-error.ts';
import { own, put } from '../../meta/words.ts';
import type { Rule, Walk } from '../../schema/rules/walk.ts';

type Json = Readonly<Record<string, unknown>>;
type Paths = CustomResourceSubresourceScale;

const int32Max = 2 ** 31 - 1;

export function customScale({ specReplicasPath, statusReplicasPath, labelSelectorPath }: Paths): ScaleView {
  return {
    replicasPath: stepsOf(specReplicasPath),
    replicas: (object) => integerAt(object, specReplicasPath),
    readyReplicas: (object) => integerAt(object, statusReplicasPath) ?? 0,
    selector: (object) => (labelSelectorPath ? (textAt(object, labelSelectorPath) ?? '') : ''),
    withReplicas: (object, replicas) => withValue(object as unknown as Json, stepsOf(specReplicasPath), replicas) as unknown as KubeObject,
  };
}

/** What a scale would show of the object. */
export function scaleRule(given: Paths, part?: 'status'): Rule<KubeObject> {
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = given;
  return (object, walk) => {
    if (!part) checkReplicas(object, walk, specReplicasPath);
    checkReplicas(object, walk, statusReplicasPath);
    if (!labelSelectorPath) return;
    const { value, problem } = lookUp(object, labelSelectorPath);
    const wrong = problem ?? (value === undefined || typeof value === 'string' ? undefined : wrongType(labelSelectorPath, value, 'string'));
    if (wrong) walk.invalid(labelSelectorPath, '', wrong);
  };
}

function checkReplicas(object: KubeObject, walk: Walk, path: string): void {
  const { value, problem } = lookUp(object, path);
  const wrong = problem ?? (value === undefined || Number.isInteger(value) ? undefined : wrongType(path, value, 'int64'));
  if (wrong) walk.invalid(path, 0, wrong);
  else if (typeof value !== 'number') return;
  else if (value < 0) walk.invalid(path, value, 'should be a non-negative integer');
  else if (value > int32Max) walk.invalid(path, value, `should be less than or equal to ${int32Max}`);
}

function integerAt(object: KubeObject, path: string): number | undefined {
  const { value, problem } = lookUp(object, path);
  if (problem === undefined && (value === undefined || Number.isInteger(value))) return value as number | undefined;
  throw unreadable(problem ?? wrongType(path, value, 'int64'));
}

function textAt(object: KubeObject, path: string): string | undefined {
  const { value, problem } = lookUp(object, path);
  if (problem === undefined && (value === undefined || typeof value === 'string')) return value;
  throw unreadable(problem ?? wrongType(path, value, 'string'));
}

const unreadable = (message: string): StatusError => new StatusError({ code: 500, reason: '', message });

const stepsOf = (path: string): readonly string[] => path.replace(/^\./, '').split('.');

interface Found {
  readonly value?: unknown;
  readonly problem?: string;
}

/** Nothing, where a step is missing; a problem, where one is no object. */
function lookUp(object: KubeObject, path: string): Found {
  const steps = stepsOf(path);
  let value: unknown = object;
  for (const [i, step] of steps.entries()) {
    if (value === null) return {};
    if (typeof value !== 'object' || Array.isArray(value))
      return { problem: wrongType(`.${steps.slice(0, i + 1).join('.')}`, value, 'map[string]interface{}') };
    value = own(value as Json, step);
    if (value === undefined) return {};
  }
  return { value };
}

const wrongType = (path: string, value: unknown, wanted: string): string =>
  `${path} accessor error: ${describe(value)} is of the type ${goTypeOf(value)}, expected ${wanted}`;

const describe = (value: unknown): string => (value === null ? '<nil>' : String(value));

function goTypeOf(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'number':
      return Number.isInteger(value) ? 'int64' : 'float64';
    case 'string':
      return 'string';
    default:
      return 'map[string]interface {}'; // as Go prints the type
  }
}

function withValue(object: Json, [step = '', ...rest]: readonly string[], value: number): Json {
  const copy = { ...object };
  const below = own(object, step);
  const isObject = typeof below === 'object' && below !== null && !Array.isArray(below);
  put(copy, step, rest.length > 0 ? withValue(isObject ? (below as Json) : {}, rest, value) : value);
  return copy;
}
