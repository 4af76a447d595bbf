/**
 * Defaults of a container, in pods and in templates alike; stop signals are dropped, as the feature is off upstream. What is added to pods only is in pod-defaults.ts.
 * Upstream: pkg/apis/core/v1/defaults.go.
 */
import type {
  Container,
  ContainerPort,
  EnvVar,
  EphemeralContainer,
  HTTPGetAction,
  LifecycleHandler,
  ObjectFieldSelector,
  Probe,
} from '../../../generated/core-v1.ts';
import { change, fill, fillEmpty, mapSame, omit } from '../../fill.ts';
import { pullPolicyOf } from './image.ts';
import { defaultResources } from './quantity-defaults.ts';

const containerDefaults = { terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' } as const;
const probeDefaults = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 } as const;

export function defaultContainer<C extends Container | EphemeralContainer>(container: C): C {
  let result: Container = fillEmpty<Container>(container as Container, containerDefaults);
  if (!result.imagePullPolicy) result = { ...result, imagePullPolicy: pullPolicyOf(result.image) };
  if (result.resources) result = change(result, 'resources', defaultResources);
  if (result.ports) result = change(result, 'ports', (ports) => mapSame(ports, defaultPort));
  if (result.env) result = change(result, 'env', (env) => mapSame(env, defaultEnvVar));
  if (result.livenessProbe) result = change(result, 'livenessProbe', defaultProbe);
  if (result.readinessProbe) result = change(result, 'readinessProbe', defaultProbe);
  if (result.startupProbe) result = change(result, 'startupProbe', defaultProbe);
  if (result.lifecycle) {
    result = change(result, 'lifecycle', (lifecycle) =>
      change(change(omit(lifecycle, 'stopSignal'), 'postStart', defaultHandler), 'preStop', defaultHandler),
    );
  }
  return result as C;
}

const defaultPort = (port: ContainerPort): ContainerPort => fillEmpty(port, { protocol: 'TCP' });

function defaultEnvVar(variable: EnvVar): EnvVar {
  if (!variable.valueFrom) return variable;
  return change(variable, 'valueFrom', (source) =>
    change(
      change(change(source, 'fieldRef', defaultFieldSelector), 'resourceFieldRef', (selector) => fill(selector, { divisor: '0' })),
      'fileKeyRef',
      (selector) => fill(selector, { optional: false }),
    ),
  );
}

export const defaultFieldSelector = (selector: ObjectFieldSelector): ObjectFieldSelector => fillEmpty(selector, { apiVersion: 'v1' });

function defaultProbe(probe: Probe): Probe {
  const filled = fillEmpty<Probe>(probe, probeDefaults);
  const withGet = filled.httpGet ? change(filled, 'httpGet', defaultHTTPGet) : filled;
  return withGet.grpc ? change(withGet, 'grpc', (grpc) => fill(grpc, { service: '' })) : withGet;
}

const defaultHTTPGet = (action: HTTPGetAction): HTTPGetAction => fillEmpty(action, { path: '/', scheme: 'HTTP' });

const defaultHandler = (handler: LifecycleHandler): LifecycleHandler => change(handler, 'httpGet', defaultHTTPGet);
