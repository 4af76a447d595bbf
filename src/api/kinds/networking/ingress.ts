/** Ingress. Upstream: pkg/apis/networking/validation/validation.go. */
import { Ingress } from '../../generated/kinds.ts';
import type {
  HTTPIngressPath,
  HTTPIngressRuleValue,
  IngressBackend,
  IngressLoadBalancerIngress,
  IngressLoadBalancerStatus,
  IngressRule,
  IngressServiceBackend,
  IngressSpec,
  IngressStatus,
  IngressTLS,
} from '../../generated/networking-v1.ts';
import { isIPAddress } from '../../meta/addresses.ts';
import { checkDns1123Subdomain, checkPortName, checkWildcardDns1123Subdomain } from '../../meta/names.ts';
import { all, each, fields, filled, format, keeping, knowing, onCreate, refuse, required } from '../../schema/rules/rules.ts';
import { judgeAtOnce, type Rule } from '../../schema/rules/walk.ts';
import { balancerAddresses, firstOf, nameAndAge } from '../cells.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { typedReference } from '../references.ts';
import { balancerName, dnsLabel, dnsSubdomain, ip, portNumber } from '../shared-rules.ts';

const classAnnotation = 'kubernetes.io/ingress.class';
const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix'];
const badSequences = ['//', '/./', '/../', '%2f', '%2F'];
const badEnds = ['/..', '/.'];
const hostsMax = 3;

/** What was valid once may stay. */
interface Leniency {
  readonly anySecretName: boolean;
  readonly anyWildcardRule: boolean;
}

const leniencyOf = (old: Ingress | undefined): Leniency => ({
  anySecretName: listOf(old?.spec.tls).some(({ secretName }) => secretName && checkDns1123Subdomain(secretName).length > 0),
  anyWildcardRule: listOf(old?.spec.rules).some(
    (rule) => rule.host?.includes('*') && rule.http && judgeAtOnce(paths, rule.http).length > 0,
  ),
});

const hostName = format<string>((host) => (host.includes('*') ? checkWildcardDns1123Subdomain(host) : checkDns1123Subdomain(host)));
const namedHost = all<string>(refuse(isIPAddress, 'must be a DNS name, not an IP address'), hostName);
const portName = format(checkPortName);

/** What is wrong with its port is said of the whole. */
const serviceBackend: Rule<IngressBackend> = all<IngressBackend>(
  fields({ service: fields<IngressServiceBackend>({ name: required(dnsLabel) }) }),
  ({ service }, walk) => {
    const { name, number } = service?.port ?? {};
    if (name && number) walk.invalid('', '', 'cannot set both port name & port number');
    else if (name) walk.check('service.port.name', name, portName);
    else if (number) walk.check('service.port.number', number, portNumber);
    else walk.required('', 'port name or number is required');
  },
);
const backend: Rule<IngressBackend> = (given, walk) => {
  if (given.resource && given.service) walk.invalid('', '', 'cannot set both resource and service backends');
  else if (given.service) serviceBackend(given, walk, undefined);
  else if (given.resource) walk.check('resource', given.resource, typedReference);
  else walk.invalid('', '', 'resource or service backend is required');
};

const pathRule: Rule<Partial<HTTPIngressPath>> = ({ path = '', pathType, backend: behind = {} }, walk) => {
  const add = (message: string): void => walk.invalid('path', path, message);
  if (pathType === undefined) return walk.required('pathType', 'pathType must be specified');
  if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!path.startsWith('/')) add('must be an absolute path');
    for (const sequence of badSequences) if (path.includes(sequence)) add(`must not contain '${sequence}'`);
    for (const end of badEnds) if (path.endsWith(end)) add(`cannot end with '${end}'`);
  } else if (pathType === 'ImplementationSpecific') {
    if (path && !path.startsWith('/')) add('must be an absolute path');
  } else walk.notSupported('pathType', pathType, pathTypes);
  walk.check('backend', behind, backend);
};
const paths = fields<HTTPIngressRuleValue>({ paths: required(each(pathRule)) });

const rule: Rule<IngressRule> = ({ host, http }, walk) => {
  walk.check('host', host || undefined, namedHost);
  if (!host?.includes('*') || !(walk.about as Leniency).anyWildcardRule) walk.check('http', http, paths);
};

const tls = fields<IngressTLS>({
  hosts: each(hostName),
  secretName: (name, walk) => {
    if (name && !(walk.about as Leniency).anySecretName) dnsSubdomain(name, walk, undefined);
  },
});

const specRule = all<IngressSpec>(
  ({ rules, defaultBackend }, walk) => {
    if (!rules?.length && !defaultBackend) walk.invalid('', rules ?? null, 'either `defaultBackend` or `rules` must be specified');
  },
  fields({ defaultBackend: backend, rules: each(rule), tls: each(tls), ingressClassName: dnsSubdomain }),
);

const oneClass: Rule<Ingress> = ({ metadata, spec }, walk) => {
  const annotated = metadata.annotations?.[classAnnotation];
  if (annotated === undefined || spec.ingressClassName === undefined || annotated === spec.ingressClassName) return;
  walk.invalid(`annotations.${classAnnotation}`, annotated, 'must match `ingressClassName` when both are specified');
};

const balancer = fields<IngressLoadBalancerStatus>({
  ingress: each(fields<IngressLoadBalancerIngress>({ ip: filled(ip), hostname: filled(balancerName) })),
});
const addressesOf = ({ status }: Ingress): readonly string[] => listOf(status.loadBalancer?.ingress).flatMap((point) => point.ip || []);

export const ingress = defineKind(Ingress, {
  storagePrefix: 'ingress',
  hasGeneration: true,
  hooks: {
    prepareForCreate: (object) => ({ ...object, status: { loadBalancer: {} } }),
    rules: all(
      knowing((_, _walk, old) => leniencyOf(old), fields({ spec: specRule })),
      onCreate(oneClass),
    ),
    statusRules: keeping(addressesOf, fields({ status: fields<IngressStatus>({ loadBalancer: balancer }) })),
    warnings: ({ metadata, spec }, old) =>
      !old && metadata.annotations?.[classAnnotation] !== undefined && spec.ingressClassName === undefined
        ? [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`]
        : [],
    cells: nameAndAge(({ spec, status }) => [
      spec.ingressClassName ?? '<none>',
      hostsText(listOf(spec.rules)),
      balancerAddresses(listOf(status.loadBalancer?.ingress)),
      spec.tls?.length ? '80, 443' : '80',
    ]),
  },
});

function hostsText(rules: readonly IngressRule[]): string {
  const hosts = rules.map(({ host }) => host ?? '').filter(Boolean);
  if (hosts.length <= hostsMax) return hosts.join(',') || '*';
  return firstOf(hosts, hostsMax).replace(/\+ \d+/, `+ ${rules.length - hostsMax}`);
}
