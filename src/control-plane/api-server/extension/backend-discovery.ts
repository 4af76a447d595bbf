/**
 * What another server says that it serves in a group-version: from its aggregated discovery, or, of a server without it,
 * from its list of resources. What is no resource is left out: whoever reads discovery, in this process too, reads it of all servers.
 * Upstream: kube-aggregator/pkg/apiserver/handler_discovery.go.
 */
import type { APIService } from '../../../api/generated/kinds.ts';
import { own } from '../../../api/meta/words.ts';
import { parseJSON } from '../../../api/schema/json-scan.ts';
import { versionPath } from './availability.ts';
import { type BackendTools, getDocument } from './backend.ts';

export type Json = Readonly<Record<string, unknown>>;

const aggregatedType = ['v2', 'v2beta1'].map((v) => `application/json;g=apidiscovery.k8s.io;v=${v};as=APIGroupDiscoveryList`).join(',');

/** Undefined: it does not say, or nothing that can be understood. */
export async function discoverResources(
  service: APIService,
  tools: BackendTools,
  signal: AbortSignal,
): Promise<readonly object[] | undefined> {
  const ask = async (path: string, accept: string): Promise<Json | undefined> => {
    const { code, body } = await getDocument(service, tools, { path, accept, signal });
    return code === 200 ? record(parseJSON(body.toString())) : undefined;
  };
  const { group = '', version = '' } = service.spec;
  const aggregated = await ask('/apis', aggregatedType);
  if (aggregated?.['kind'] === 'APIGroupDiscoveryList') {
    const found = records(aggregated['items']).find(({ metadata }) => record(metadata)?.['name'] === group);
    return wellFormed(records(found?.['versions']).find((each) => each['version'] === version)?.['resources']);
  }
  const list = await ask(versionPath(service), 'application/json');
  return list && wellFormed(fromResourceList(records(list['resources']), { group, version }));
}

/** The place of its OpenAPI document of version 3, which goes on through this server as it is; undefined: it has none. */
export async function discoverOpenAPI(service: APIService, tools: BackendTools, signal: AbortSignal): Promise<string | undefined> {
  const { code, body } = await getDocument(service, tools, { path: '/openapi/v3', accept: 'application/json', signal });
  if (code !== 200) return undefined;
  const path = versionPath(service).slice(1);
  const url = record(own(record(record(parseJSON(body.toString()))?.['paths']), path))?.['serverRelativeURL'];
  const place = `/openapi/v3/${path}`;
  return typeof url === 'string' && (url === place || url.startsWith(`${place}?`)) ? url : undefined;
}

export const record = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
const records = (value: unknown): readonly Json[] =>
  (Array.isArray(value) ? value.filter((each) => record(each) !== undefined) : []) as readonly Json[];

/** A large group has some twenty. */
const resourcesMax = 1000;
const wordsMax = 100;
const wordCharactersMax = 253;

const isWord = (value: unknown): value is string => typeof value === 'string' && value.length <= wordCharactersMax;
const areWords = (value: unknown): boolean => Array.isArray(value) && value.length <= wordsMax && value.every(isWord);
const areWordsIfAny = (value: unknown): boolean => value === undefined || value === null || areWords(value);

function isKindReference(value: unknown): boolean {
  const { group = '', version = '', kind } = record(value) ?? {};
  return isWord(group) && isWord(version) && isWord(kind);
}

/** Of what should be APIResourceDiscoveries, those that are: what they say as they say it. */
function wellFormed(resources: unknown): readonly Json[] {
  return records(resources)
    .slice(0, resourcesMax)
    .filter(
      ({ resource, responseKind, scope, singularResource = '', verbs, shortNames, categories }) =>
        isWord(resource) &&
        resource !== '' &&
        isKindReference(responseKind) &&
        (scope === 'Namespaced' || scope === 'Cluster') &&
        isWord(singularResource) &&
        areWords(verbs) &&
        areWordsIfAny(shortNames) &&
        areWordsIfAny(categories),
    )
    .map((each) => (each['subresources'] === undefined ? each : { ...each, subresources: subresourcesOf(each['subresources']) }));
}

const subresourcesOf = (subresources: unknown): readonly Json[] =>
  records(subresources)
    .slice(0, wordsMax)
    .filter(
      ({ subresource, responseKind, verbs }) =>
        isWord(subresource) && areWords(verbs) && (responseKind === undefined || isKindReference(responseKind)),
    );

/** An APIResourceList in the aggregated form. */
function fromResourceList(resources: readonly Json[], at: { readonly group: string; readonly version: string }): readonly Json[] {
  const kindOf = ({ group, version, kind }: Json): object => ({ group: group || at.group, version: version || at.version, kind });
  const nameOf = ({ name }: Json): string => (typeof name === 'string' ? name : '');
  return resources
    .filter((each) => !nameOf(each).includes('/'))
    .map((each) => {
      const { namespaced, singularName = '', verbs = [], shortNames, categories } = each;
      const prefix = `${nameOf(each)}/`;
      const subresources = resources
        .filter((sub) => nameOf(sub).startsWith(prefix))
        .map((sub) => ({ subresource: nameOf(sub).slice(prefix.length), responseKind: kindOf(sub), verbs: sub['verbs'] ?? [] }));
      return {
        resource: nameOf(each),
        responseKind: kindOf(each),
        scope: namespaced ? 'Namespaced' : 'Cluster',
        singularResource: singularName,
        verbs,
        ...(shortNames ? { shortNames } : {}),
        ...(categories ? { categories } : {}),
        ...(subresources.length > 0 && { subresources }),
      };
    });
}
