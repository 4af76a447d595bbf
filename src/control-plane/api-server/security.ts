/**
 * Who may do what, and what is added: puts authentication, authorization, admission and allocation together for the
 * chain. Everything reads the watch cache through `reader`; what is written goes through `loopback`.
 */
import { builtInKinds } from '../../api/kinds/all.ts';
import { resourceKey } from '../../api/kinds/define-kind.ts';
import type { KindSnapshot } from '../../api/kinds/kind-snapshot.ts';
import type { KindRef } from '../../api/meta/object.ts';
import type { Client } from '../../client/client.ts';
import type { Clock, Random } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import type { ClusterPKI } from '../pki/cluster-pki.ts';
import { AdmissionMetrics } from './admission/admission-metrics.ts';
import type { AdmissionPlugin } from './admission/plugin.ts';
import { admissionPlugins } from './admission/plugins.ts';
import type { AdmissionTools } from './admission/tools.ts';
import type { WebhookTools } from './admission/webhooks/webhook-tools.ts';
import type { Claims } from './allocation/claims.ts';
import { nodeRanges } from './allocation/node-ranges.ts';
import { serviceNetwork } from './allocation/service-network.ts';
import { anonymous } from './authentication/anonymous.ts';
import type { AuthenticationRequest, Authenticator } from './authentication/authenticator.ts';
import { bearerTokens } from './authentication/bearer-token.ts';
import { clientCertificates } from './authentication/client-certificate.ts';
import { impersonate } from './authentication/impersonation.ts';
import { openIDEndpoints } from './authentication/openid.ts';
import { FrontProxies, requestHeaders } from './authentication/request-header.ts';
import { selfSubjectReviews, tokenReviews } from './authentication/reviews.ts';
import { ServiceAccountTokens } from './authentication/service-account-tokens.ts';
import { tokenRequests } from './authentication/token-request.ts';
import { accessReviews } from './authorization/access-reviews.ts';
import type { Authorizer } from './authorization/authorizer.ts';
import { BindingIndex } from './authorization/binding-index.ts';
import { type Authorize, decideBy } from './authorization/decide.ts';
import { nodeAuthorizer } from './authorization/node-authorizer.ts';
import { NodeGraph } from './authorization/node-graph.ts';
import { privilegedGroup } from './authorization/privileged.ts';
import { RBAC } from './authorization/rbac.ts';
import type { ObjectReader } from './cache/reader.ts';
import { quotaKeeping } from './quota/quota-keeping.ts';
import type { CreateEndpoint } from './request/api-request.ts';
import type { NonResourceEndpoint } from './request/non-resource-endpoint.ts';
import type { UserInfo } from './request/request.ts';
import type { Allocator } from './write/allocator.ts';
import type { ObjectOps } from './write/object-ops.ts';

export interface SecurityConfig {
  /** who issues service account tokens; default: https://kubernetes.default.svc.cluster.local */
  readonly serviceAccountIssuer?: string;
  /** for whom tokens are when they do not say; default: the issuer */
  readonly apiAudiences?: readonly string[];
  /** one per IP family, the first is the default; default: 10.96.0.0/16 */
  readonly serviceCIDRs?: readonly string[];
  /** both ends belong to it; default: 30000-32767 */
  readonly nodePortRange?: { readonly from: number; readonly to: number };
  /** host and port under which the server is reached from outside, for OpenID discovery */
  readonly externalAddress?: () => string;
  /** by their upstream names */
  readonly disabledAdmissionPlugins?: readonly string[];
}

export interface SecurityOptions {
  readonly reader: ObjectReader;
  readonly ops: ObjectOps;
  readonly claims: Claims;
  /** a client in the group system:masters */
  readonly loopback: Client;
  readonly pki: Pick<ClusterPKI, 'serviceAccountKeys'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** the authority of front proxies, in PEM; absent: none is believed */
  readonly frontProxyCA?: string | undefined;
  /** absent: webhooks are not called */
  readonly webhooks?: Pick<WebhookTools, 'client'> | undefined;
  readonly admissionMetrics?: AdmissionMetrics | undefined;
  readonly served: () => KindSnapshot;
  readonly config?: SecurityConfig;
}

export interface Security extends Disposable {
  /** in order; the last one takes everybody */
  readonly authenticators: readonly Authenticator[];
  readonly authorizers: readonly Authorizer[];
  readonly authorize: Authorize;
  /** After authentication: the user that the Impersonate-* headers ask for, or the same. Throws Forbidden. */
  impersonate(user: UserInfo, headers: AuthenticationRequest['headers']): UserInfo | Promise<UserInfo>;
  /** in order */
  readonly admission: readonly AdmissionPlugin[];
  readonly allocators: readonly Allocator[];
  readonly createEndpoints: readonly CreateEndpoint[];
  readonly nonResourceEndpoints: readonly NonResourceEndpoint[];
}

/** What a quota counts by `resource.group`: a built-in kind, or one that need not be served yet, in whichever version. */
function countedKind(name: string): KindRef | undefined {
  const builtIn = builtInKinds.find((kind) => resourceKey(kind) === name);
  const dot = name.indexOf('.');
  if (builtIn || dot < 0) return builtIn;
  return { group: name.slice(dot + 1), version: '', kind: '', resource: name.slice(0, dot), namespaced: true };
}

const serviceAccountIssuerDefault = 'https://kubernetes.default.svc.cluster.local';
const externalAddressDefault = 'kubernetes.default.svc.cluster.local';

export function securityFor(options: SecurityOptions): Security {
  const { reader, pki, clock, random, log, served, webhooks, config = {}, admissionMetrics: metrics = new AdmissionMetrics() } = options;
  const issuer = config.serviceAccountIssuer ?? serviceAccountIssuerDefault;
  const audiences = config.apiAudiences ?? [issuer];
  const tokens = new ServiceAccountTokens({ issuer, keys: pki.serviceAccountKeys, audiences, reader, clock, random });
  const bindings = new BindingIndex(reader);
  const graph = new NodeGraph(reader);
  const rbac = new RBAC(bindings);
  const authorizers = [privilegedGroup, nodeAuthorizer(graph), rbac];
  const authorize = decideBy(authorizers);
  const quotas = quotaKeeping({ ...options, kindOf: countedKind });
  const network = serviceNetwork({
    reader,
    ops: options.ops,
    claims: options.claims,
    random,
    cidrs: config.serviceCIDRs,
    ports: config.nodePortRange,
  });
  const disabled = new Set(config.disabledAdmissionPlugins);
  const tools: AdmissionTools = {
    reader,
    loopback: options.loopback,
    clock,
    random,
    authorize,
    rbac,
    bindings,
    served,
    metrics,
    webhooks: webhooks && { ...webhooks, served, metrics, reader, authorize, random, log },
  };
  const admission = [...admissionPlugins(tools), network.fields].filter(({ name }) => !disabled.has(name));
  return {
    authenticators: [...certificateAuthenticators(options), bearerTokens(tokens, audiences), anonymous],
    authorizers,
    authorize,
    impersonate: (user, headers) => impersonate(user, headers, authorize),
    admission,
    allocators: [
      ...(disabled.has('ResourceQuota') ? [] : [quotas.allocator]),
      network.clusterIPs,
      network.nodePorts,
      nodeRanges(reader, options.claims),
    ],
    createEndpoints: [
      tokenRequests({ tokens, reader, audiences, clock }),
      tokenReviews(tokens, audiences),
      selfSubjectReviews(clock),
      ...accessReviews(authorize, authorizers),
    ],
    nonResourceEndpoints: openIDEndpoints(tokens, config.externalAddress ?? (() => externalAddressDefault)),
    [Symbol.dispose]() {
      for (const each of [bindings, graph, quotas, network.clusterIPs]) each[Symbol.dispose]();
    },
  };
}

function certificateAuthenticators({ clock, frontProxyCA }: SecurityOptions): readonly Authenticator[] {
  if (frontProxyCA === undefined) return [clientCertificates(clock)];
  const proxies = new FrontProxies(frontProxyCA);
  return [requestHeaders(proxies), clientCertificates(clock, proxies)];
}
