/**
 * What expressions of admission may name: `object` and `oldObject` (any JSON), `request`, `namespaceObject`, where it is so
 * declared `params`, `authorizer` and the types that patches are made of (`Object{…}`, `JSONPatch{…}`)
 * (apiserver/pkg/admission/plugin/cel/compile.go, pkg/cel/mutation).
 */

import { baseEnvironment } from '../base.ts';
import { type Environment, func } from '../environment.ts';
import { AUTHORIZER, RESOURCE_CHECK } from '../library/authorization.ts';
import type { Type } from '../types.ts';
import * as t from '../types.ts';
import { Constructed } from './constructed.ts';

export interface Declared {
  readonly params?: boolean;
  readonly authorizer?: boolean;
  /** for mutating policies */
  readonly patchTypes?: boolean;
}

/** What `Object{…}` gives, and `JSONPatch{…}`. */
export const OBJECT = patchType('Object') as Type;
export const JSON_PATCH = patchType('JSONPatch') as Type;

export function admissionEnvironment(declared: Declared): Environment {
  const key = JSON.stringify([declared.params, declared.authorizer, declared.patchTypes]);
  const known = made.get(key);
  if (known) return known;
  const environment = makeEnvironment(declared);
  made.set(key, environment);
  return environment;
}
const made = new Map<string, Environment>();

/** For type checking: the objects are of one type, the authorizer is known by itself alone, as upstream. */
export function typedEnvironment({ object, params }: { readonly object: Type; readonly params: Type | undefined }): Environment {
  const objects = { object, oldObject: object, ...(params && { params }) };
  return admissionEnvironment({}).extend({ variables: { ...objects, authorizer: AUTHORIZER } });
}

function makeEnvironment({ params, authorizer, patchTypes }: Declared): Environment {
  const environment = baseEnvironment.extend({
    variables: {
      object: t.DYN,
      oldObject: t.DYN,
      request: REQUEST,
      namespaceObject: NAMESPACE,
      ...(params && { params: t.DYN }),
      ...(authorizer && { authorizer: AUTHORIZER, 'authorizer.requestResource': RESOURCE_CHECK }),
    },
    types: [REQUEST, NAMESPACE, ...inner],
  });
  if (!patchTypes) return environment;
  return environment.extend({
    functions: [func('jsonpatch.escapeKey', 'string_jsonpatch_escapeKey_string', [t.STRING], t.STRING, (x) => escapeKey(x as string))],
    findType: patchType,
    construct: (name, fields) => new Constructed(name, fields),
  });
}

function escapeKey(key: string): string {
  return key.replace(/[~/]/g, (c) => (c === '/' ? '~1' : '~0'));
}

function patchType(name: string): Type | undefined {
  if (name === 'Object' || name.startsWith('Object.')) return t.struct(name, () => t.DYN);
  if (name !== 'JSONPatch') return undefined;
  return t.struct(name, (field) => {
    if (field === 'value') return t.DYN;
    return field === 'op' || field === 'path' || field === 'from' ? t.STRING : undefined;
  });
}

function fields(name: string, types: Readonly<Record<string, Type>>): Type {
  const known = new Map(Object.entries(types));
  return t.struct(name, (field) => known.get(field));
}

const S = t.STRING;
const strings = t.listOf(S);
const GVK = fields('kubernetes.GroupVersionKind', { group: S, version: S, kind: S });
const GVR = fields('kubernetes.GroupVersionResource', { group: S, version: S, resource: S });
const USER = fields('kubernetes.UserInfo', { username: S, uid: S, groups: strings, extra: t.mapOf(S, strings) });
const REQUEST = fields('kubernetes.AdmissionRequest', {
  kind: GVK,
  resource: GVR,
  subResource: S,
  requestKind: GVK,
  requestResource: GVR,
  requestSubResource: S,
  name: S,
  namespace: S,
  operation: S,
  userInfo: USER,
  dryRun: t.BOOL,
  options: t.DYN,
});
const NAMESPACE_SPEC = fields('kubernetes.NamespaceSpec', { finalizers: strings });
const CONDITION = fields('kubernetes.NamespaceCondition', { status: S, type: S, lastTransitionTime: t.TIMESTAMP, message: S, reason: S });
const NAMESPACE_STATUS = fields('kubernetes.NamespaceStatus', { conditions: t.listOf(CONDITION), phase: S });
const NAMESPACE_METADATA = fields('kubernetes.NamespaceMetadata', {
  name: S,
  generateName: S,
  namespace: S,
  labels: t.mapOf(S, S),
  annotations: t.mapOf(S, S),
  UID: S,
  creationTimestamp: t.TIMESTAMP,
  deletionGracePeriodSeconds: t.INT,
  deletionTimestamp: t.TIMESTAMP,
  generation: t.INT,
  resourceVersion: S,
  finalizers: strings,
});
const NAMESPACE = fields('kubernetes.Namespace', { metadata: NAMESPACE_METADATA, spec: NAMESPACE_SPEC, status: NAMESPACE_STATUS });
const inner = [GVK, GVR, USER, NAMESPACE_SPEC, CONDITION, NAMESPACE_STATUS, NAMESPACE_METADATA];
