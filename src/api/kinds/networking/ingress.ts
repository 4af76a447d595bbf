/** Ingress. Upstream: pkg/apis/networking/validation/validation.go. */
import { Ingress } from '../../generated/kinds.ts';
import type { HTTPIngressPath, IngressBackend, IngressRule, IngressServiceBackend, IngressTLS } from '../../generated/networking-v1.ts';
import { isIPAddress } from '../../meta/addresses.ts';
import { checkDns1123Subdomain, checkPortName, checkPortNumber, checkWildcardDns1123Subdomain } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { balancerAddresses, firstOf, nameAndAge } from '../cells.ts';
import { addInvalid, checkDnsLabel, checkDnsSubdomain, checkPresent, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { checkIP } from '../ip-checks.ts';
import { listOf } from '../lists.ts';
import { checkTypedReference } from '../references.ts';

const classAnnotation = 'kubernetes.io/ingress.class';
const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix'];
const badSequences = ['//', '/./', '/../', '%2f', '%2F'];
const badEnds = ['/..', '/.'];
const hostsMax = 3;

export const ingress = defineKind(Ingress, {
  storagePrefix: 'ingress',
  hasGeneration: true,
  hooks: {
    prepareForCreate: (object) => ({ ...object, status: { loadBalancer: {} } }),
    validate,
    validateStatus,
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

/** What was valid once may stay. */
interface Leniency {
  readonly anySecretName: boolean;
  readonly anyWildcardRule: boolean;
}

function validate(object: Ingress, old?: Ingress): readonly FieldError[] {
  const errors: Errors = [];
  const { spec, metadata } = object;
  const rules = listOf(spec.rules);
  const lenient = leniencyOf(old);
  if (!rules.length && !spec.defaultBackend) {
    errors.push(fieldErrors.invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (spec.defaultBackend) checkBackend(errors, 'spec.defaultBackend', spec.defaultBackend);
  rules.forEach((rule, i) => {
    checkRule(errors, `spec.rules[${i}]`, rule, lenient);
  });
  listOf(spec.tls).forEach((tls, i) => {
    checkTLS(errors, `spec.tls[${i}]`, tls, lenient);
  });
  const className = spec.ingressClassName;
  if (className !== undefined) checkDnsSubdomain(errors, 'spec.ingressClassName', className);
  const annotated = metadata.annotations?.[classAnnotation];
  if (!old && annotated !== undefined && className !== undefined && annotated !== className) {
    const message = 'must match `ingressClassName` when both are specified';
    errors.push(fieldErrors.invalid(`annotations.${classAnnotation}`, annotated, message));
  }
  return errors;
}

function leniencyOf(old: Ingress | undefined): Leniency {
  const rules = listOf(old?.spec.rules);
  return {
    anySecretName: listOf(old?.spec.tls).some(({ secretName }) => secretName && checkDns1123Subdomain(secretName).length > 0),
    anyWildcardRule: rules.some((rule) => {
      const errors: Errors = [];
      checkPaths(errors, '', rule);
      return rule.host?.includes('*') && errors.length > 0;
    }),
  };
}

function checkTLS(errors: Errors, path: string, { hosts, secretName }: IngressTLS, lenient: Leniency): void {
  listOf(hosts).forEach((host, i) => {
    checkHost(errors, `${path}.hosts[${i}]`, host);
  });
  if (secretName && !lenient.anySecretName) checkDnsSubdomain(errors, `${path}.secretName`, secretName);
}

const checkHost = (errors: Errors, path: string, host: string): void =>
  addInvalid(errors, path, host, host.includes('*') ? checkWildcardDns1123Subdomain(host) : checkDns1123Subdomain(host));

function checkRule(errors: Errors, path: string, rule: IngressRule, lenient: Leniency): void {
  const { host } = rule;
  if (host) {
    if (isIPAddress(host)) errors.push(fieldErrors.invalid(`${path}.host`, host, 'must be a DNS name, not an IP address'));
    checkHost(errors, `${path}.host`, host);
    if (host.includes('*') && lenient.anyWildcardRule) return;
  }
  checkPaths(errors, path, rule);
}

function checkPaths(errors: Errors, path: string, { http }: IngressRule): void {
  if (!http) return;
  const paths = listOf(http.paths);
  if (!paths.length) errors.push(fieldErrors.required(`${path}.http.paths`));
  paths.forEach((entry, i) => {
    checkPath(errors, `${path}.http.paths[${i}]`, entry);
  });
}

function checkPath(errors: Errors, at: string, entry: HTTPIngressPath): void {
  const { path = '', pathType, backend } = entry as Partial<HTTPIngressPath>;
  const add = (message: string): void => void errors.push(fieldErrors.invalid(`${at}.path`, path, message));
  if (pathType === undefined) return void errors.push(fieldErrors.required(`${at}.pathType`, 'pathType must be specified'));
  if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!path.startsWith('/')) add('must be an absolute path');
    for (const sequence of badSequences) if (path.includes(sequence)) add(`must not contain '${sequence}'`);
    for (const end of badEnds) if (path.endsWith(end)) add(`cannot end with '${end}'`);
  } else if (pathType === 'ImplementationSpecific') {
    if (path && !path.startsWith('/')) add('must be an absolute path');
  } else errors.push(fieldErrors.notSupported(`${at}.pathType`, pathType, pathTypes));
  checkBackend(errors, `${at}.backend`, backend ?? {});
}

function checkBackend(errors: Errors, path: string, { resource, service }: IngressBackend): void {
  if (resource && service) errors.push(fieldErrors.invalid(path, '', 'cannot set both resource and service backends'));
  else if (service) checkService(errors, path, service);
  else if (resource) checkTypedReference(errors, `${path}.resource`, resource);
  else errors.push(fieldErrors.invalid(path, '', 'resource or service backend is required'));
}

function checkService(errors: Errors, path: string, { name, port }: IngressServiceBackend): void {
  const at = `${path}.service`;
  if (checkPresent(errors, `${at}.name`, name)) checkDnsLabel(errors, `${at}.name`, name);
  const { name: portName, number } = port ?? {};
  if (portName && number) errors.push(fieldErrors.invalid(path, '', 'cannot set both port name & port number'));
  else if (portName) addInvalid(errors, `${at}.port.name`, portName, checkPortName(portName));
  else if (number) addInvalid(errors, `${at}.port.number`, number, checkPortNumber(number));
  else errors.push(fieldErrors.required(path, 'port name or number is required'));
}

function validateStatus({ status }: Ingress, old: Ingress): readonly FieldError[] {
  const errors: Errors = [];
  const known = new Set(listOf(old.status.loadBalancer?.ingress).flatMap(({ ip }) => (ip ? [ip] : [])));
  listOf(status.loadBalancer?.ingress).forEach(({ ip, hostname }, i) => {
    const at = `status.loadBalancer.ingress[${i}]`;
    if (ip) checkIP(errors, `${at}.ip`, ip, known);
    if (!hostname) return;
    checkDnsSubdomain(errors, `${at}.hostname`, hostname);
    if (isIPAddress(hostname)) errors.push(fieldErrors.invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'));
  });
  return errors;
}
