/**
 * OpenAPI documents: version 3, one for each group version, and version 2, one for all.
 * Upstream: kube-openapi/pkg/{builder,builder3}, as published by a 1.36 API server.
 */

import type { Kind } from '../../../api/meta/kind.ts';
import { type Steps, takeSteps } from '../../../api/meta/steps.ts';
import { own } from '../../../api/meta/words.ts';
import { typeNameOf } from '../../../api/schema/types.ts';
import { customListType, customType } from './custom-schemas.ts';
import type { Descriptions } from './descriptions.ts';
import type { ServedGroup } from './group-order.ts';
import {
  listTypeName,
  type Operation,
  openApiTypeName,
  type Parameter,
  type PathItem,
  pathsOf,
  versionName,
  versionTag,
} from './openapi-operations.ts';
import { type GroupVersionKindRow, type Json, type OwnTypes, SchemaRenderer } from './openapi-schemas.ts';

/** What documents say beside structure. */
export interface DocumentTexts {
  /** `1.36` */
  readonly release: string;
  readonly descriptions: Descriptions;
}

/** In which forms objects come and go. */
interface MediaTypes {
  readonly objects: readonly string[];
  readonly streams: readonly string[];
  readonly bodies: readonly string[];
  readonly patches: readonly string[];
}
const builtInTypes: MediaTypes = {
  objects: ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'],
  streams: ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'],
  bodies: ['*/*'],
  patches: [
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/strategic-merge-patch+json',
    'application/apply-patch+yaml',
  ],
};
/** kubectl applies by what is said here. Upstream: apiextensions-apiserver/pkg/controller/openapi/builder. */
const customTypes: MediaTypes = {
  objects: ['application/json', 'application/yaml'],
  streams: [],
  bodies: ['application/json', 'application/yaml'],
  patches: ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'],
};
const mediaTypesOf = ({ gvk }: Operation): MediaTypes => (gvk && typeNameOf(gvk) === undefined ? customTypes : builtInTypes);
const responseTexts: Readonly<Record<string, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted', 401: 'Unauthorized' };

const info = (version: string): Json => ({ title: 'Kubernetes', version });
const bearer = { type: 'apiKey', description: 'Bearer Token authentication', name: 'authorization', in: 'header' };

/** The types of custom resources and their lists, under the names that OpenAPI gives them. */
function ownTypes(kinds: readonly Kind[]): OwnTypes {
  return new Map(
    kinds.flatMap((kind) => {
      const { definition } = kind;
      if (!definition) return [];
      const name = openApiTypeName(kind);
      return [
        [name, customType(kind, definition)],
        [listTypeName(kind), customListType(kind, definition, name)],
      ];
    }),
  );
}

const rootTypes: Readonly<Record<string, { readonly id: string; readonly type: string }>> = {
  api: { id: 'getCoreAPIVersions', type: 'io.k8s.apimachinery.pkg.apis.meta.v1.APIVersions' },
  apis: { id: 'getAPIVersions', type: 'io.k8s.apimachinery.pkg.apis.meta.v1.APIGroupList' },
  version: { id: 'getCodeVersion', type: 'io.k8s.apimachinery.pkg.version.Info' },
};

function rootItem(path: string): { readonly item: PathItem; readonly tag: string } {
  const group = path.split('/')[1] ?? '';
  const { id, type } = own(rootTypes, path) ?? {
    id: `get${versionName({ group, version: '' })}APIGroup`,
    type: 'io.k8s.apimachinery.pkg.apis.meta.v1.APIGroup',
  };
  const operation: Operation = { method: 'get', id, parameters: [], responses: { 200: type } };
  const tag = path === 'version' || path === 'apis' ? path : versionTag({ group, version: '' }).slice(0, -1);
  return { item: { path: `/${path}/`, parameters: [], operations: [operation] }, tag };
}

/** What belongs to no version: `api`, `apis`, `apis/apps`, `version`. */
export function rootPaths(groups: readonly ServedGroup[]): readonly string[] {
  return ['api', 'apis', 'version', ...groups.filter((g) => g.group !== '').map((g) => `apis/${g.group}`)];
}

/** Version 3 of one of `rootPaths`. */
export function rootDocument(path: string, { release, descriptions }: DocumentTexts): Json {
  const renderer = new SchemaRenderer(3, { descriptions });
  const { item, tag } = rootItem(path);
  const paths = { [item.path]: renderPathV3(renderer, item, tag) };
  return {
    openapi: '3.0.0',
    info: info(release),
    paths,
    components: { schemas: takeSteps(renderer.definitions()), securitySchemes: { BearerToken: bearer } },
  };
}

/** The paths of one version: its kinds', and its own list of resources. */
function versionPaths(group: string, version: string, kinds: readonly Kind[]): readonly PathItem[] {
  const root = group ? `/apis/${group}/${version}/` : `/api/${version}/`;
  const type = 'io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList';
  const resources: Operation = {
    method: 'get',
    id: `get${versionName({ group, version })}APIResources`,
    parameters: [],
    responses: { 200: type },
  };
  return [{ path: root, parameters: [], operations: [resources] }, ...kinds.flatMap(pathsOf)].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Version 3 of one group version. */
export function* openApiV3(group: string, version: string, kinds: readonly Kind[], texts: DocumentTexts): Steps<Json> {
  const { release, descriptions } = texts;
  const renderer = new SchemaRenderer(3, { own: ownTypes(kinds), descriptions });
  const tag = versionTag({ group, version });
  const paths = Object.fromEntries(versionPaths(group, version, kinds).map((item) => [item.path, renderPathV3(renderer, item, tag)]));
  for (const kind of kinds) renderer.reference(openApiTypeName(kind));
  return {
    openapi: '3.0.0',
    info: info(release),
    paths,
    components: { schemas: yield* renderer.definitions(sharedVersions(group, version)), securitySchemes: { BearerToken: bearer } },
  };
}

/** The core group's shared types are part of every document. */
const sharedVersions = (group: string, version: string): readonly GroupVersionKindRow[] => [
  { group: '', kind: '', version: 'v1' },
  ...(group ? [{ group, kind: '', version }] : []),
];

const parameterV3 = ({ name, in: place, type }: Parameter): Json => ({
  name,
  in: place,
  ...(place === 'path' && { required: true }),
  schema: { type, uniqueItems: true },
});

function renderPathV3(renderer: SchemaRenderer, item: PathItem, tag: string): Json {
  const operations = item.operations.map((o) => [o.method, operationV3(renderer, o, tag)]);
  return { ...Object.fromEntries(operations), ...(item.parameters.length && { parameters: item.parameters.map(parameterV3) }) };
}

function operationV3(renderer: SchemaRenderer, o: Operation, tag: string): Json {
  const { body } = o;
  const content = (types: readonly string[], type: string): Json =>
    Object.fromEntries(types.map((t) => [t, { schema: type ? renderer.reference(type) : { type: 'string' } }]));
  const { objects, streams, bodies, patches } = mediaTypesOf(o);
  const accepted = body?.isPatch ? patches : bodies;
  const responses = Object.entries(o.responses).map(([code, type]) => {
    const types = type ? [...objects, ...(o.streams ? streams : [])] : o.action === 'connect' ? ['*/*'] : ['text/plain', ...objects];
    return [code, { description: own(responseTexts, code), content: content(types, type) }];
  });
  return {
    tags: [tag],
    operationId: o.id,
    ...(o.parameters.length && { parameters: o.parameters.map(parameterV3) }),
    ...(body && { requestBody: { content: content(accepted, body.type), ...(body.required && { required: true }) } }),
    responses: { ...Object.fromEntries(responses), 401: { description: 'Unauthorized' } },
    ...extensionsOf(o),
  };
}

const extensionsOf = (o: Operation): Json => ({
  ...(o.action !== undefined && { 'x-kubernetes-action': o.action }),
  ...(o.gvk && { 'x-kubernetes-group-version-kind': { group: o.gvk.group, kind: o.gvk.kind, version: o.gvk.version } }),
});

/** Version 2 of everything that is served. */
export function* openApiV2(groups: readonly ServedGroup[], { release, descriptions }: DocumentTexts): Steps<Json> {
  const all = groups.flatMap((g) => g.versions.flatMap((v) => v.kinds));
  const renderer = new SchemaRenderer(2, { own: ownTypes(all), descriptions });
  const rows: GroupVersionKindRow[] = groups.flatMap(({ group, versions }) =>
    versions.map(({ version }) => ({ group, kind: '', version })),
  );
  const paths: (readonly [string, Json])[] = [];
  for (const { group, versions } of groups) {
    for (const { version, kinds } of versions) {
      const tag = versionTag({ group, version });
      for (const item of versionPaths(group, version, kinds)) paths.push([item.path, renderPathV2(renderer, item, tag)]);
      yield;
    }
  }
  const roots = rootPaths(groups).map((path) => {
    const { item, tag } = rootItem(path);
    return [item.path, renderPathV2(renderer, item, tag)] as const;
  });
  for (const kind of all) renderer.reference(openApiTypeName(kind));
  return {
    swagger: '2.0',
    info: info(release),
    paths: Object.fromEntries([...paths, ...roots].sort(([a], [b]) => (a < b ? -1 : 1))),
    definitions: yield* renderer.definitions(rows),
    securityDefinitions: { BearerToken: { ...bearer } },
    security: [{ BearerToken: [] }],
  };
}

const parameterV2 = ({ name, in: place, type }: Parameter): Json => ({
  uniqueItems: true,
  type,
  name,
  in: place,
  ...(place === 'path' && { required: true }),
});

function renderPathV2(renderer: SchemaRenderer, item: PathItem, tag: string): Json {
  const operations = item.operations.map((o) => [o.method, operationV2(renderer, o, tag)]);
  return { ...Object.fromEntries(operations), ...(item.parameters.length && { parameters: item.parameters.map(parameterV2) }) };
}

function operationV2(renderer: SchemaRenderer, o: Operation, tag: string): Json {
  const { body } = o;
  const bodyParameter = body && {
    name: 'body',
    in: 'body',
    ...(body.required && { required: true }),
    schema: renderer.reference(body.type),
  };
  const parameters = [...(bodyParameter ? [bodyParameter] : []), ...o.parameters.map(parameterV2)];
  const responses = Object.entries(o.responses).map(([code, type]) => [
    code,
    { description: own(responseTexts, code), schema: type ? renderer.reference(type) : { type: 'string' } },
  ]);
  const isConnect = o.action === 'connect';
  const { objects, streams, bodies, patches } = mediaTypesOf(o);
  return {
    consumes: body?.isPatch ? patches : bodies,
    produces: isConnect ? ['*/*'] : [...objects, ...(o.streams ? streams : [])],
    schemes: ['https'],
    tags: [tag],
    operationId: o.id,
    ...(parameters.length && { parameters }),
    responses: { ...Object.fromEntries(responses), 401: { description: 'Unauthorized' } },
    ...extensionsOf(o),
  };
}
