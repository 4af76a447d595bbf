/**
 * resource.k8s.io/v1beta1 has the fields of an exact device request, and of a device, one level higher or lower than v1;
 * its hooks are those of v1, on the stored form.
 * Upstream: pkg/apis/resource/v1beta1/conversion.go.
 */
import type { KindHooks, VersionConversion } from '../../meta/kind.ts';
import type { KubeObject } from '../../meta/object.ts';
import { own } from '../../meta/words.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import type { KindStrategy } from '../define-kind.ts';

type Json = Readonly<Record<string, unknown>>;
type Change = (value: Json) => Json;

/** `value` with what is at `path` changed, in every item where it goes through a list. What is absent stays so. */
function changeAt(value: Json, path: readonly string[], change: Change): Json {
  const [step = '', ...rest] = path;
  if (!path.length) return change(value);
  const inner = own(value, step);
  if (Array.isArray(inner)) return { ...value, [step]: inner.map((item: Json) => changeAt(item, rest, change)) };
  if (typeof inner !== 'object' || inner === null) return value;
  return { ...value, [step]: changeAt(inner as Json, rest, change) };
}

function conversion(path: readonly string[], toV1: Change, fromV1: Change): VersionConversion {
  const convert = (object: KubeObject, apiVersion: string, change: Change): KubeObject => {
    const changed = changeAt(object as unknown as Json, path, change);
    return { ...changed, apiVersion } as unknown as KubeObject;
  };
  return {
    toStorage: (object) => convert(object, 'resource.k8s.io/v1', toV1),
    fromStorage: (stored) => convert(stored, 'resource.k8s.io/v1beta1', fromV1),
  };
}

function requestToV1({ name, firstAvailable, ...exactly }: Json): Json {
  if (Array.isArray(firstAvailable) && firstAvailable.length) return { name, firstAvailable };
  return { name, exactly };
}

function requestFromV1({ exactly, ...request }: Json): Json {
  return { ...request, ...(exactly as Json | undefined) };
}

function deviceToV1({ name, basic }: Json): Json {
  return { name, ...(basic as Json | undefined) };
}

function deviceFromV1({ name, ...basic }: Json): Json {
  return { name, basic };
}

export const claimConversion: VersionConversion = conversion(['spec', 'devices', 'requests'], requestToV1, requestFromV1);
export const claimTemplateConversion: VersionConversion = conversion(['spec', 'spec', 'devices', 'requests'], requestToV1, requestFromV1);
export const sliceConversion: VersionConversion = conversion(['spec', 'devices'], deviceToV1, deviceFromV1);

const inForm =
  <T>(rule: Rule<T>, form: (object: T) => T): Rule<T> =>
  (object, walk, old) =>
    rule(form(object), walk, old && form(old));

/** Of a version that is not the stored one. */
export const older = <T extends KubeObject>(extra: KindStrategy<T>, form: VersionConversion): KindStrategy<T> => ({
  ...extra,
  convert: form as VersionConversion<T>,
  hooks: inStoredForm(extra.hooks ?? {}, form),
});

/** Its hooks. Warnings and grace periods are not among them. */
function inStoredForm<T extends KubeObject>(hooks: KindHooks<T>, { toStorage, fromStorage }: VersionConversion): KindHooks<T> {
  const inner = (object: T): T => toStorage(object) as T;
  const outer = (object: T): T => fromStorage(object) as T;
  const { prepareForCreate, prepareForStatusUpdate, rules, statusRules } = hooks;
  const fill = hooks.default;
  return {
    ...(fill && { default: (object: T) => outer(fill(inner(object))) }),
    ...(prepareForCreate && { prepareForCreate }),
    ...(prepareForStatusUpdate && { prepareForStatusUpdate }),
    ...(rules && { rules: inForm(rules, inner) }),
    ...(statusRules && { statusRules: inForm(statusRules, inner) }),
    cells: (object, at) => hooks.cells?.(inner(object), at) ?? [],
  };
}
