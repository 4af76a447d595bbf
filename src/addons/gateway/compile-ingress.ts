/**
 * From Ingresses to routes: pure, an object at a time, so that a change of one costs what that one costs. An Ingress uses
 * Services and Secrets of its own namespace alone: the names that it gives have no other.
 *
 * Where two Ingresses claim one host and path, or the certificate of one host, the older one has it, then the first by name.
 * ImplementationSpecific paths are prefixes; where patterns are asked for (annotations.ts) all paths are patterns but exact ones.
 */

import { expandedSize } from '../../api/cel/pattern.ts';
import type { Ingress, IngressClass } from '../../api/generated/kinds.ts';
import type { HTTPIngressPath, IngressBackend } from '../../api/generated/networking-v1.ts';
import { keyOf, type ObjectKey } from '../../api/meta/object.ts';
import { messageOf } from '../../api/meta/status-error.ts';
import { readAnnotations } from './annotations.ts';
import type { BackendProtocol, RoutePolicy } from './route-policy.ts';
import { checkPattern, type Matched, type PathMatch, RouteTable } from './route-table.ts';

export const ingressClass = { name: 'timonier', controller: 'timonier.dev/ingress' } as const;
export const classAnnotation = 'kubernetes.io/ingress.class';

/** Of all patterns of an Ingress, in characters when their repetitions are written out: compiling them takes 0.1 s. */
const patternCharactersMax = 10_000;

/** A port of a Service. */
export interface BackendRef {
  readonly namespace: string;
  readonly service: string;
  readonly port: number | string;
  /** absent: what the port says */
  readonly protocol?: BackendProtocol | undefined;
  readonly connectMs: number;
}

export interface Route extends Matched {
  /** the Ingress */
  readonly owner: ObjectKey;
  /** absent: nothing that can be asked */
  readonly backend?: BackendRef | undefined;
  readonly policy: RoutePolicy;
}

/** What an Ingress is told in an Event. */
export interface Problem {
  readonly reason: 'AnnotationNotSupported' | 'BackendNotSupported' | 'Conflict' | 'PathNotSupported';
  readonly message: string;
}

export interface HostCertificate {
  readonly host: string;
  /** of the Secret; absent: the self-made one */
  readonly secret?: ObjectKey | undefined;
}

export interface CompiledIngress {
  readonly routes: readonly Route[];
  readonly certificates: readonly HostCertificate[];
  readonly problems: readonly Problem[];
}

export interface Compiled {
  readonly table: RouteTable<Route>;
  readonly certificates: ReadonlyMap<string, HostCertificate>;
  problemsOf(key: ObjectKey): readonly Problem[];
}

/** Whether an Ingress is this controller's: by its class, whatever that is called. */
export function isOurs({ metadata, spec }: Ingress, classOf: (name: string) => IngressClass | undefined): boolean {
  const name = spec.ingressClassName ?? metadata.annotations?.[classAnnotation];
  return name !== undefined && classOf(name)?.spec?.controller === ingressClass.controller;
}

export function compileIngresses(ingresses: readonly Ingress[], compile = compileIngress): Compiled {
  const oldestFirst = [...ingresses].sort(byAge);
  const each = new Map(oldestFirst.map((ingress) => [keyOf(ingress), compile(ingress)]));
  const all = [...each.values()];
  const table = new RouteTable(all.flatMap(({ routes }) => routes));
  const certificates = new Map<string, HostCertificate>();
  for (const certificate of all.flatMap((one) => one.certificates))
    if (!certificates.has(certificate.host)) certificates.set(certificate.host, certificate);
  const conflicts = Map.groupBy(table.conflicts, ({ loser }) => loser.owner);
  const refused = Map.groupBy(table.refused, ({ owner }) => owner);
  return {
    table,
    certificates,
    problemsOf: (key) => [
      ...(each.get(key)?.problems ?? []),
      ...(conflicts.get(key) ?? []).map(({ loser, winner }): Problem => {
        const where = `${loser.host || 'every host'}${loser.match.type === 'last' ? ', whatever has no route' : ` ${loser.match.path}`}`;
        const who = winner.owner === key ? 'this Ingress, further up' : `Ingress ${winner.owner}, which is older`;
        return { reason: 'Conflict', message: `${where} is routed by ${who}` };
      }),
      ...(refused.get(key) ?? []).map(({ host, match }): Problem => {
        const path = match.type === 'last' ? '' : shown(match.path);
        return {
          reason: 'PathNotSupported',
          message: `path ${path} is not served: ${host || 'every host'} has too many patterns, or too large ones`,
        };
      }),
    ],
  };
}

const byAge = (a: Ingress, b: Ingress): number => {
  const [timeA, timeB] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  const [nameA, nameB] = [keyOf(a), keyOf(b)];
  if (timeA !== timeB) return timeA < timeB ? -1 : 1;
  return nameA < nameB ? -1 : nameA > nameB ? 1 : 0;
};

export function compileIngress(ingress: Ingress): CompiledIngress {
  const { metadata, spec } = ingress;
  const owner = keyOf(ingress);
  const { rules = [], tls = [], defaultBackend } = spec;
  const annotated = readAnnotations(metadata.annotations);
  const problems: Problem[] = annotated.problems.map(({ annotation, says }) => ({
    reason: 'AnnotationNotSupported',
    message: `annotation ${annotation} ${says}`,
  }));
  const hosts = [...new Set(rules.map(({ host = '' }) => host.toLowerCase()))];
  const certificates = tls.flatMap(({ hosts: named, secretName }) =>
    (named && named.length > 0 ? named.map((host) => host.toLowerCase()) : hosts.filter(Boolean)).map((host) => ({
      host,
      secret: secretName ? `${metadata.namespace}/${secretName}` : undefined,
    })),
  );
  const secured = new Set(certificates.map(({ host }) => host));
  const policyOf = (host: string): RoutePolicy => {
    const hasTLS = secured.has(host) || secured.has(host.replace(/^[^.]+/, '*'));
    return { ...annotated.policy, redirectsToTLS: annotated.redirects === 'always' || (annotated.redirects === 'with-tls' && hasTLS) };
  };
  const routeTo = (host: string, match: PathMatch, backend: IngressBackend): Route => ({
    host,
    match,
    owner,
    backend: refOf(backend, { ...annotated.policy, namespace: metadata.namespace ?? '' }),
    policy: policyOf(host),
  });
  const routes: Route[] = [];
  const budget = { characters: patternCharactersMax };
  for (const { host = '', http } of rules) {
    for (const path of http?.paths ?? []) {
      const match = matchOf(path, annotated.usesPatterns ? budget : undefined);
      if (typeof match === 'string') problems.push({ reason: 'PathNotSupported', message: match });
      else routes.push(routeTo(host.toLowerCase(), match, path.backend));
      if (path.backend.resource) problems.push(notAService(path.backend));
    }
  }
  if (defaultBackend) {
    const forHosts = hosts.length > 0 ? hosts : [''];
    routes.push(...forHosts.map((host) => routeTo(host, { type: 'last' }, defaultBackend)));
    if (defaultBackend.resource) problems.push(notAService(defaultBackend));
  }
  return { routes, certificates, problems };
}

const shownMax = 100;
const shown = (path: string): string => (path.length > shownMax ? `${path.slice(0, shownMax)}…` : path);

const notAService = ({ resource }: IngressBackend): Problem => ({
  reason: 'BackendNotSupported',
  message: `${resource?.kind} ${resource?.name} is no Service: requests for it are answered with 503`,
});

function refOf({ service }: IngressBackend, { namespace, protocol, connectMs }: Omit<BackendRef, 'service' | 'port'>) {
  const port = service?.port?.name || service?.port?.number;
  return service && port ? { namespace, service: service.name, port, protocol, connectMs } : undefined;
}

/** Or why there is none. */
function matchOf({ path = '/', pathType }: HTTPIngressPath, patterns: { characters: number } | undefined): PathMatch | string {
  if (pathType === 'Exact') return { type: 'exact', path };
  if (!patterns) return { type: 'prefix', path };
  patterns.characters -= expandedSize(path);
  if (patterns.characters < 0) return `path ${shown(path)} is not served: the patterns of this Ingress are too large together`;
  try {
    checkPattern(path);
    return { type: 'pattern', path };
  } catch (error) {
    return `path ${shown(path)} is no pattern: ${messageOf(error)}`;
  }
}
