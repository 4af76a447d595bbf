/**
 * Checks of containers: what all have in common, then what is special to init, regular and ephemeral ones.
 * Upstream: pkg/apis/core/validation/validation.go.
 */
import type {
  Container,
  ContainerPort,
  ContainerResizePolicy,
  ContainerRestartRule,
  EphemeralContainer,
} from '../../../generated/core-v1.ts';
import { checkPortName, checkPortNumber } from '../../../meta/names.ts';
import { fieldErrors } from '../../../meta/status-error.ts';
import { addInvalid, checkDnsLabel, checkOneOf, checkPresent, checkSupported, type Errors } from '../../checks.ts';
import { listOf } from '../../lists.ts';
import type { SpecContext } from './context.ts';
import type { AnyContainer } from './each-container.ts';
import { checkEnv, checkEnvFrom } from './env-checks.ts';
import { checkVolumeDevices, checkVolumeMounts } from './mount-checks.ts';
import { checkLifecycle, checkProbe } from './probe-checks.ts';
import { checkRequirements } from './resource-checks.ts';
import { checkSecurityContext } from './security-checks.ts';

const protocols = ['SCTP', 'TCP', 'UDP'];
export const pullPolicies = ['Always', 'IfNotPresent', 'Never'];
const restartPolicies = ['Always', 'Never', 'OnFailure'];
const probes = { livenessProbe: 'liveness', readinessProbe: 'readiness', startupProbe: 'startup' } as const;
const probeFields = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;
const restartRulesMax = 20;
const exitCodesMax = 255;

export function checkContainers(context: SpecContext, path: string, containers: readonly Container[]): void {
  const { errors } = context;
  if (!containers.length) errors.push(fieldErrors.required(path));
  const names = new Set<string>();
  containers.forEach((container, i) => {
    const at = `${path}[${i}]`;
    checkCommon(context, at, container);
    if (names.has(container.name)) errors.push(fieldErrors.duplicate(`${at}.name`, container.name));
    names.add(container.name);
    checkLife(context, at, container);
    checkRestartPolicy(errors, at, container);
  });
  checkHostPorts(errors, path, containers);
}

export function checkInitContainers(context: SpecContext, path: string, containers: readonly Container[]): void {
  const { errors, spec } = context;
  const names = new Set(listOf(spec.containers).map((container) => container.name));
  containers.forEach((container, i) => {
    const at = `${path}[${i}]`;
    const sidecar = container.restartPolicy === 'Always';
    checkCommon(context, at, container);
    checkRestartPolicy(errors, at, container);
    if (names.has(container.name)) errors.push(fieldErrors.duplicate(`${at}.name`, container.name));
    else if (container.name) names.add(container.name);
    checkHostPorts(errors, path, [container]);
    if (sidecar) checkLife(context, at, container);
    else {
      for (const field of ['lifecycle', ...probeFields] as const) {
        if (!container[field]) continue;
        errors.push(fieldErrors.forbidden(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always'));
      }
      listOf(container.resizePolicy).forEach(({ restartPolicy }, j) => {
        if (restartPolicy !== 'RestartContainer') return;
        const message = "must not be set to 'RestartContainer' for non-sidecar initContainers";
        errors.push(fieldErrors.invalid(`${at}.resizePolicy[${j}].restartPolicy`, restartPolicy, message));
      });
    }
  });
}

const forbiddenToEphemeral = [
  'ports',
  'resources',
  ...probeFields,
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
] as const;

export function checkEphemeralContainers(context: SpecContext, path: string, containers: readonly EphemeralContainer[]): void {
  const { errors, spec } = context;
  const others = new Set([...listOf(spec.containers), ...listOf(spec.initContainers)].map((container) => container.name));
  const names = new Set(others);
  containers.forEach((container, i) => {
    const at = `${path}[${i}]`;
    checkCommon(context, at, container);
    checkImageSpaces(errors, at, container);
    if (names.has(container.name)) errors.push(fieldErrors.duplicate(`${at}.name`, container.name));
    names.add(container.name);
    const target = container.targetContainerName;
    if (target && !others.has(target)) errors.push(fieldErrors.notFound(`${at}.targetContainerName`, target));
    for (const field of forbiddenToEphemeral) {
      const value: unknown = container[field];
      const empty = value === undefined || (field === 'resources' && !Object.keys(value as object).length);
      if (!empty) errors.push(fieldErrors.forbidden(`${at}.${field}`, 'cannot be set for an Ephemeral Container'));
    }
    listOf(container.volumeMounts).forEach((mount, j) => {
      for (const field of ['subPath', 'subPathExpr'] as const) {
        if (mount[field])
          errors.push(fieldErrors.forbidden(`${at}.volumeMounts[${j}].${field}`, 'cannot be set for an Ephemeral Container'));
      }
    });
  });
}

function checkCommon(context: SpecContext, path: string, container: AnyContainer): void {
  const { errors } = context;
  if (checkPresent(errors, `${path}.name`, container.name)) checkDnsLabel(errors, `${path}.name`, container.name);
  checkPresent(errors, `${path}.image`, container.image);
  checkOneOf(errors, `${path}.terminationMessagePolicy`, container.terminationMessagePolicy, { of: ['File', 'FallbackToLogsOnError'] });
  if (container.ports) checkPorts(errors, `${path}.ports`, container.ports);
  if (container.env) checkEnv(errors, `${path}.env`, container.env);
  if (container.envFrom) checkEnvFrom(errors, `${path}.envFrom`, container.envFrom);
  if (container.volumeMounts) checkVolumeMounts(context, `${path}.volumeMounts`, container);
  if (container.volumeDevices) checkVolumeDevices(context, `${path}.volumeDevices`, container);
  checkOneOf(errors, `${path}.imagePullPolicy`, container.imagePullPolicy, { of: pullPolicies });
  if (container.resources) checkRequirements(errors, `${path}.resources`, container.resources, context);
  if (container.resizePolicy) checkResizePolicy(context, `${path}.resizePolicy`, container.resizePolicy);
  if (container.securityContext) checkSecurityContext(errors, `${path}.securityContext`, container.securityContext, context);
}

/** Hooks and probes, of containers that live as long as the pod. */
function checkLife(context: SpecContext, path: string, container: Container): void {
  if (container.lifecycle) checkLifecycle(context, `${path}.lifecycle`, container.lifecycle);
  for (const field of probeFields) {
    const probe = container[field];
    if (probe) checkProbe(context, `${path}.${field}`, probe, probes[field]);
  }
}

/** Only of pods: templates have kept such images from of old. */
export function checkImageSpaces(errors: Errors, path: string, container: AnyContainer): void {
  const { image = '' } = container;
  if (image.trim() !== image) errors.push(fieldErrors.invalid(`${path}.image`, image, 'must not have leading or trailing whitespace'));
}

function checkPorts(errors: Errors, path: string, ports: readonly ContainerPort[]): void {
  const names = new Set<string>();
  ports.forEach((port, i) => {
    const at = `${path}[${i}]`;
    if (port.name) {
      const messages = checkPortName(port.name);
      if (messages.length) addInvalid(errors, `${at}.name`, port.name, messages);
      else if (names.has(port.name)) errors.push(fieldErrors.duplicate(`${at}.name`, port.name));
      else names.add(port.name);
    }
    if (!port.containerPort) errors.push(fieldErrors.required(`${at}.containerPort`));
    else addInvalid(errors, `${at}.containerPort`, port.containerPort, checkPortNumber(port.containerPort));
    if (port.hostPort) addInvalid(errors, `${at}.hostPort`, port.hostPort, checkPortNumber(port.hostPort));
    checkOneOf(errors, `${at}.protocol`, port.protocol, { of: protocols });
  });
}

function checkHostPorts(errors: Errors, path: string, containers: readonly Container[]): void {
  const taken = new Set<string>();
  containers.forEach((container, i) => {
    container.ports?.forEach((port, j) => {
      if (!port.hostPort) return;
      const text = `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`;
      if (taken.has(text)) errors.push(fieldErrors.duplicate(`${path}[${i}].ports[${j}].hostPort`, text));
      taken.add(text);
    });
  });
}

function checkResizePolicy({ errors, spec }: SpecContext, path: string, policies: readonly ContainerResizePolicy[]): void {
  const seen = new Set<string>();
  policies.forEach(({ resourceName, restartPolicy }, i) => {
    if (seen.has(resourceName)) errors.push(fieldErrors.duplicate(`${path}[${i}]`, resourceName));
    seen.add(resourceName);
    checkOneOf(errors, path, resourceName, { of: ['cpu', 'memory'] });
    checkOneOf(errors, path, restartPolicy, { of: ['NotRequired', 'RestartContainer'] });
    if (spec.restartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      errors.push(fieldErrors.invalid(path, restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"));
    }
  });
}

function checkRestartPolicy(errors: Errors, path: string, container: Container): void {
  const { restartPolicy } = container;
  const rules = listOf(container.restartPolicyRules);
  if (restartPolicy !== undefined) checkSupported(errors, `${path}.restartPolicy`, restartPolicy, restartPolicies);
  else if (rules.length) {
    errors.push(fieldErrors.required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used'));
  }
  if (rules.length > restartRulesMax) errors.push(fieldErrors.tooMany(`${path}.restartPolicyRules`, rules.length, restartRulesMax));
  rules.forEach((rule, i) => {
    checkRestartRule(errors, `${path}.restartPolicyRules[${i}]`, rule);
  });
}

function checkRestartRule(errors: Errors, path: string, rule: ContainerRestartRule): void {
  checkSupported(errors, `${path}.action`, rule.action ?? '', ['Restart', 'RestartAllContainers']);
  if (!rule.exitCodes) {
    errors.push(fieldErrors.required(`${path}.exitCodes`, 'must be specified'));
    return;
  }
  checkSupported(errors, `${path}.exitCodes.operator`, rule.exitCodes.operator ?? '', ['In', 'NotIn']);
  const count = rule.exitCodes.values?.length ?? 0;
  if (count > exitCodesMax) errors.push(fieldErrors.tooMany(`${path}.exitCodes.values`, count, exitCodesMax));
}
