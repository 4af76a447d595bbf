/**
 * The operations of a kind, as OpenAPI names them: which paths and methods there are, what they take and answer. In a
 * form that both versions of OpenAPI are rendered from.
 * Upstream: apiserver/pkg/endpoints/installer.go, apiserver/pkg/endpoints/openapi/openapi.go.
 */

import { isCustom, type Kind, type Subresource } from '../../../api/meta/kind.ts';
import { own } from '../../../api/meta/words.ts';
import type { GroupVersionKind } from '../../../api/schema/types.ts';
import { typeNameOf } from '../../../api/schema/types.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly type: 'string' | 'integer' | 'boolean';
}

export interface Operation {
  readonly method: 'get' | 'put' | 'post' | 'delete' | 'options' | 'head' | 'patch';
  readonly id: string;
  readonly action?: string;
  readonly gvk?: GroupVersionKind;
  readonly parameters: readonly Parameter[];
  /** the body's type; patches take one of several content types */
  readonly body?: { readonly type: string; readonly required: boolean; readonly isPatch?: boolean };
  /** code to the type of the answer; '' is text */
  readonly responses: Readonly<Record<string, string>>;
  /** the answer may be a stream of events */
  readonly streams?: boolean;
}

export interface PathItem {
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly operations: readonly Operation[];
}

const byName = (a: Parameter, b: Parameter): number => (a.name === b.name ? (a.in < b.in ? -1 : 1) : a.name < b.name ? -1 : 1);
const query = (name: string, type: Parameter['type'] = 'string'): Parameter => ({ name, in: 'query', type });
const inPath = (name: string): Parameter => ({ name, in: 'path', type: 'string' });
const pretty = query('pretty');

const listParameters: readonly Parameter[] = [
  query('allowWatchBookmarks', 'boolean'),
  query('continue'),
  query('fieldSelector'),
  query('labelSelector'),
  query('limit', 'integer'),
  query('resourceVersion'),
  query('resourceVersionMatch'),
  query('sendInitialEvents', 'boolean'),
  query('shardSelector'),
  query('timeoutSeconds', 'integer'),
  query('watch', 'boolean'),
];
const writeParameters: readonly Parameter[] = [query('dryRun'), query('fieldManager'), query('fieldValidation')];
const patchParameters: readonly Parameter[] = [...writeParameters, query('force', 'boolean')];
const deleteParameters: readonly Parameter[] = [
  query('dryRun'),
  query('gracePeriodSeconds', 'integer'),
  query('ignoreStoreReadErrorWithClusterBreakingPotential', 'boolean'),
  query('orphanDependents', 'boolean'),
  query('propagationPolicy'),
];
const collectionDeleteParameters: readonly Parameter[] = [
  ...deleteParameters,
  ...listParameters.filter((p) => p.name !== 'watch' && p.name !== 'allowWatchBookmarks'),
].sort(byName);

const connectQueries: Readonly<Record<string, readonly Parameter[]>> = {
  attach: [query('container'), query('stderr', 'boolean'), query('stdin', 'boolean'), query('stdout', 'boolean'), query('tty', 'boolean')],
  exec: [
    query('command'),
    query('container'),
    query('stderr', 'boolean'),
    query('stdin', 'boolean'),
    query('stdout', 'boolean'),
    query('tty', 'boolean'),
  ],
  portforward: [query('ports', 'integer')],
  proxy: [query('path')],
};
const logParameters: readonly Parameter[] = [
  query('container'),
  query('follow', 'boolean'),
  query('insecureSkipTLSVerifyBackend', 'boolean'),
  query('limitBytes', 'integer'),
  pretty,
  query('previous', 'boolean'),
  query('sinceSeconds', 'integer'),
  query('stream'),
  query('tailLines', 'integer'),
  query('timestamps', 'boolean'),
];

const status = 'io.k8s.apimachinery.pkg.apis.meta.v1.Status';
const deleteOptions = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';
const patchBody = 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch';
const watchEvent = 'io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent';

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const groupWords = (group: string): readonly string[] => (group || 'core').replace(/\.k8s\.io$/, '').split('.');

/** `AppsV1`: the part of operation names that says the version. */
export const versionName = ({ group, version }: { readonly group: string; readonly version: string }): string =>
  groupWords(group).map(capital).join('') + capital(version);

/** `apps_v1`: the tag. */
export function versionTag({ group, version }: { readonly group: string; readonly version: string }): string {
  const [first = '', ...rest] = groupWords(group);
  return `${first}${rest.map(capital).join('')}_${version}`;
}

/** The name of a kind's type: the type table's, or made from the group for custom resources. */
export function openApiTypeName(kind: Kind): string {
  if (kind.typeName) return kind.typeName;
  return [...kind.group.split('.').toReversed(), kind.version, kind.kind].join('.');
}

/** Of a custom resource, its definition names the list. */
export function listTypeName(kind: Kind): string {
  const name = openApiTypeName(kind);
  return `${name.slice(0, name.length - kind.kind.length)}${kind.listKind}`;
}

const rootOf = ({ group, version }: Kind): string => (group ? `/apis/${group}/${version}` : `/api/${version}`);
const gvkOf = ({ group, version, kind }: GroupVersionKind): GroupVersionKind => ({ group, version, kind });
const has = (kind: Kind, verb: Kind['verbs'][number]): boolean => kind.verbs.includes(verb);
const bodyResponses = (type: string, ...codes: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(codes.map((code) => [code, type]));

/** All paths of a kind. */
export function pathsOf(kind: Kind): readonly PathItem[] {
  const scope = kind.namespaced ? 'Namespaced' : '';
  const placed = kind.namespaced ? `${rootOf(kind)}/namespaces/{namespace}/${kind.resource}` : `${rootOf(kind)}/${kind.resource}`;
  const namespace = kind.namespaced ? [inPath('namespace')] : [];
  const name = inPath('name');
  const items: PathItem[] = [
    { path: placed, parameters: [...namespace, pretty], operations: collectionOperations(kind, scope) },
    { path: `${placed}/{name}`, parameters: [name, ...namespace, pretty], operations: itemOperations(kind, scope) },
    ...(kind.namespaced && has(kind, 'list') ? [allNamespaces(kind)] : []),
    ...(has(kind, 'watch') && !isCustom(kind) ? watchPaths(kind, scope) : []),
    ...Object.entries(kind.subresources).flatMap(([subresource, sub]) =>
      subresourcePaths(kind, scope, { subresource, sub, placed, namespace }),
    ),
  ];
  return items.filter((item) => item.operations.length).map(hoist);
}

/** Parameters that all operations of a path have are said once, for the path. */
function hoist({ path, parameters, operations }: PathItem): PathItem {
  const [first, ...others] = operations;
  const shared = first?.parameters.filter((p) => others.every((o) => o.parameters.includes(p))) ?? [];
  return {
    path,
    parameters: [...parameters, ...shared].sort(byName),
    operations: operations.map((o) => ({ ...o, parameters: o.parameters.filter((p) => !shared.includes(p)) })),
  };
}

function collectionOperations(kind: Kind, scope: string): readonly Operation[] {
  const type = openApiTypeName(kind);
  const version = versionName(kind);
  const gvk = gvkOf(kind);
  const operations: Operation[] = [];
  if (has(kind, 'list')) {
    operations.push({
      method: 'get',
      id: `list${version}${scope}${kind.kind}`,
      action: 'list',
      gvk,
      parameters: listParameters,
      responses: { 200: listTypeName(kind) },
      streams: true,
    });
  }
  if (has(kind, 'create')) {
    operations.push({
      method: 'post',
      id: `create${version}${scope}${kind.kind}`,
      action: 'post',
      gvk,
      parameters: writeParameters,
      body: { type, required: true },
      responses: bodyResponses(type, '200', '201', '202'),
    });
  }
  if (has(kind, 'deletecollection')) {
    operations.push({
      method: 'delete',
      id: `delete${version}Collection${scope}${kind.kind}`,
      action: 'deletecollection',
      gvk,
      parameters: collectionDeleteParameters,
      body: { type: deleteOptions, required: false },
      responses: { 200: status },
    });
  }
  return operations;
}

function itemOperations(kind: Kind, scope: string): readonly Operation[] {
  const type = openApiTypeName(kind);
  const id = `${versionName(kind)}${scope}${kind.kind}`;
  const gvk = gvkOf(kind);
  const operations: Operation[] = [];
  if (has(kind, 'get')) operations.push({ method: 'get', id: `read${id}`, action: 'get', gvk, parameters: [], responses: { 200: type } });
  if (has(kind, 'update')) operations.push(replaceOperation(`replace${id}`, gvk, type));
  if (has(kind, 'delete')) {
    const answer = kind.returnsDeletedObject === true ? type : status;
    operations.push({
      method: 'delete',
      id: `delete${id}`,
      action: 'delete',
      gvk,
      parameters: deleteParameters,
      body: { type: deleteOptions, required: false },
      responses: bodyResponses(answer, '200', '202'),
    });
  }
  if (has(kind, 'patch')) operations.push(patchOperation(`patch${id}`, gvk, type));
  return operations;
}

const replaceOperation = (id: string, gvk: GroupVersionKind, type: string): Operation => ({
  method: 'put',
  id,
  action: 'put',
  gvk,
  parameters: writeParameters,
  body: { type, required: true },
  responses: bodyResponses(type, '200', '201'),
});

const patchOperation = (id: string, gvk: GroupVersionKind, type: string): Operation => ({
  method: 'patch',
  id,
  action: 'patch',
  gvk,
  parameters: patchParameters,
  body: { type: patchBody, required: true, isPatch: true },
  responses: bodyResponses(type, '200', '201'),
});

function allNamespaces(kind: Kind): PathItem {
  return {
    path: `${rootOf(kind)}/${kind.resource}`,
    parameters: [pretty],
    operations: [
      {
        method: 'get',
        id: `list${versionName(kind)}${kind.kind}ForAllNamespaces`,
        action: 'list',
        gvk: gvkOf(kind),
        parameters: listParameters,
        responses: { 200: listTypeName(kind) },
        streams: true,
      },
    ],
  };
}

function watchPaths(kind: Kind, scope: string): readonly PathItem[] {
  const watched = (path: string, id: string, action: string, more: readonly Parameter[]): PathItem => ({
    path: `${rootOf(kind)}/watch/${path}`,
    parameters: [...listParameters, ...more, pretty],
    operations: [
      {
        method: 'get',
        id: `watch${versionName(kind)}${id}`,
        action,
        gvk: gvkOf(kind),
        parameters: [],
        responses: { 200: watchEvent },
        streams: true,
      },
    ],
  });
  const placed = kind.namespaced ? `namespaces/{namespace}/${kind.resource}` : kind.resource;
  const namespace = kind.namespaced ? [inPath('namespace')] : [];
  return [
    watched(placed, `${scope}${kind.kind}List`, 'watchlist', namespace),
    watched(`${placed}/{name}`, `${scope}${kind.kind}`, 'watch', [...namespace, inPath('name')]),
    ...(kind.namespaced ? [watched(kind.resource, `${kind.kind}ListForAllNamespaces`, 'watchlist', [])] : []),
  ];
}

interface SubresourcePlace {
  readonly subresource: string;
  readonly sub: Subresource;
  readonly placed: string;
  readonly namespace: readonly Parameter[];
}

function subresourcePaths(kind: Kind, scope: string, { subresource, sub, placed, namespace }: SubresourcePlace): readonly PathItem[] {
  const path = `${placed}/{name}/${subresource}`;
  const base = [inPath('name'), ...namespace];
  const id = `${versionName(kind)}${scope}${kind.kind}${capital(subresource)}`;
  const connect = own(connectQueries, subresource);
  if (connect) return connectPaths({ path, id, sub, parameters: [...base, ...connect], isProxy: subresource === 'proxy' });
  if (subresource === 'log') return [logPath(kind, path, id, base)];
  const gvk = gvkOf(isCustom(kind) ? kind : sub.kind);
  const type = sub.kind.group === kind.group && sub.kind.kind === kind.kind ? openApiTypeName(kind) : (typeNameOf(sub.kind) ?? status);
  const operations: Operation[] = [];
  if (sub.verbs.includes('get'))
    operations.push({ method: 'get', id: `read${id}`, action: 'get', gvk, parameters: [], responses: { 200: type } });
  if (sub.verbs.includes('update')) operations.push(replaceOperation(`replace${id}`, gvk, type));
  if (sub.verbs.includes('create')) {
    const body = { type, required: true };
    operations.push({
      method: 'post',
      id: `create${id}`,
      action: 'post',
      gvk,
      parameters: writeParameters,
      body,
      responses: bodyResponses(type, '200', '201', '202'),
    });
  }
  if (sub.verbs.includes('patch')) operations.push(patchOperation(`patch${id}`, gvk, type));
  return [{ path, parameters: [...base, pretty], operations }];
}

function logPath(kind: Kind, path: string, id: string, base: readonly Parameter[]): PathItem {
  const parameters = [...base, ...logParameters].sort(byName);
  const operation: Operation = { method: 'get', id: `read${id}`, action: 'get', gvk: gvkOf(kind), parameters: [], responses: { 200: '' } };
  return { path, parameters, operations: [operation] };
}

const proxyMethods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const;

function connectPaths(given: {
  readonly path: string;
  readonly id: string;
  readonly sub: Subresource;
  readonly parameters: readonly Parameter[];
  readonly isProxy: boolean;
}): readonly PathItem[] {
  const [, version = '', rest = ''] = /^((?:[A-Z][a-z]+)+V\d+(?:alpha\d+|beta\d+)?)(.*)$/.exec(given.id) ?? [];
  const methods = given.isProxy ? proxyMethods : (['get', 'post'] as const);
  const sorted = (list: readonly Parameter[]): readonly Parameter[] => list;
  const item = (path: string, suffix: string, parameters: readonly Parameter[]): PathItem => ({
    path,
    parameters: sorted(parameters),
    operations: methods.map((method) => ({
      method,
      id: `connect${version}${capital(method)}${rest}${suffix}`,
      action: 'connect',
      gvk: gvkOf(given.sub.kind),
      parameters: [],
      responses: { 200: '' },
    })),
  });
  const items = [item(given.path, '', given.parameters)];
  if (!given.isProxy) return items;
  return [...items, item(`${given.path}/{path}`, 'WithPath', [...given.parameters, inPath('path')])];
}
