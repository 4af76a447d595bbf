/** Checks of probes and lifecycle hooks. Upstream: pkg/apis/core/validation/validation.go. */
import type { HTTPGetAction, Lifecycle, LifecycleHandler, Probe } from '../../../generated/core-v1.ts';
import { checkHttpHeaderName } from '../../../meta/names.ts';
import { fieldErrors } from '../../../meta/status-error.ts';
import { addInvalid, checkNonnegative, checkPort, type Errors } from '../../checks.ts';
import type { SpecContext } from './context.ts';

type Handler = Partial<Probe> & LifecycleHandler;
const handlerFields = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

function checkHandler(context: SpecContext, path: string, handler: Handler): void {
  let found = false;
  for (const field of handlerFields) {
    if (!handler[field]) continue;
    if (found) context.errors.push(fieldErrors.forbidden(`${path}.${field}`, 'may not specify more than 1 handler type'));
    else checkAction(context, `${path}.${field}`, field, handler);
    found = true;
  }
  if (!found) context.errors.push(fieldErrors.required(path, 'must specify a handler type'));
}

function checkAction(context: SpecContext, path: string, field: (typeof handlerFields)[number], handler: Handler): void {
  const { errors, spec } = context;
  if (field === 'exec') {
    if (!handler.exec?.command?.length) errors.push(fieldErrors.required(`${path}.command`));
  } else if (field === 'httpGet') {
    if (handler.httpGet) checkHTTPGet(errors, path, handler.httpGet);
  } else if (field === 'sleep') {
    const grace = spec.terminationGracePeriodSeconds;
    const seconds = handler.sleep?.seconds ?? 0;
    if (grace !== undefined && (seconds < 0 || seconds > grace)) {
      errors.push(fieldErrors.invalid(path, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`));
    }
  } else checkPort(errors, `${path}.port`, handler[field]?.port);
}

function checkHTTPGet(errors: Errors, path: string, action: HTTPGetAction): void {
  if (!action.path) errors.push(fieldErrors.required(`${path}.path`));
  checkPort(errors, `${path}.port`, action.port);
  if (action.scheme !== 'HTTP' && action.scheme !== 'HTTPS') {
    errors.push(fieldErrors.notSupported(`${path}.scheme`, action.scheme ?? '', ['HTTP', 'HTTPS']));
  }
  for (const header of action.httpHeaders ?? []) addInvalid(errors, `${path}.httpHeaders`, header.name, checkHttpHeaderName(header.name));
}

const countFields = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const;

export function checkProbe(context: SpecContext, path: string, probe: Probe, kind: 'liveness' | 'readiness' | 'startup'): void {
  const { errors } = context;
  checkHandler(context, path, probe);
  for (const field of countFields) checkNonnegative(errors, `${path}.${field}`, probe[field]);
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) {
    errors.push(fieldErrors.invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
  }
  if (kind === 'readiness') {
    if (grace !== undefined) {
      errors.push(fieldErrors.invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes'));
    }
  } else if (probe.successThreshold !== 1) {
    errors.push(fieldErrors.invalid(`${path}.successThreshold`, probe.successThreshold ?? 0, 'must be 1'));
  }
}

export function checkLifecycle(context: SpecContext, path: string, lifecycle: Lifecycle): void {
  if (lifecycle.postStart) checkHandler(context, `${path}.postStart`, lifecycle.postStart);
  if (lifecycle.preStop) checkHandler(context, `${path}.preStop`, lifecycle.preStop);
}
