/**
 * APIServices: which group-versions other servers answer for, and whether they can. A group-version belongs to its
 * backend from the moment its APIService is stored, available or not; what this server serves under the same name comes
 * back when the APIService goes. Each is asked again every 30 seconds, sooner while it fails, and at once when its
 * Service or endpoints change.
 * Upstream: kube-aggregator/pkg/apiserver/apiserver.go, pkg/controllers/status/remote.
 */
import { APIService, EndpointSlice, Service } from '../../../api/generated/kinds.ts';
import type { Backend } from '../../../api/kinds/kind-snapshot.ts';
import { withCondition } from '../../../api/meta/conditions.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import { isConflict, isNotFound } from '../../../api/meta/status-error.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { serviceNameLabel } from '../../../api/meta/well-known.ts';
import { own } from '../../../api/meta/words.ts';
import { realClock } from '../../../client/clock.ts';
import { type Controller, type ControllerIO, defineController, type Outcome, watched } from '../../../client/controllers/controller.ts';
import type { ServedKinds } from '../cache/served-kinds.ts';
import { type Availability, askAvailability, planAvailability } from './availability.ts';
import type { BackendTools } from './backend.ts';
import { discoverOpenAPI, discoverResources } from './backend-discovery.ts';
import { discoverOpenAPIV2 } from './backend-openapi.ts';

const lookAgainMs = 30_000;
const retryMsMin = 1000;
const questionMsMax = 5000;
/** Of what this server serves itself. */
const local: Availability = { status: 'True', reason: 'Local', message: 'Local APIServices are always available' };

type BackendKinds = Pick<ServedKinds, 'served' | 'putBackend' | 'removeBackend'>;

export function apiServiceController(tools: BackendTools, kinds: BackendKinds): Controller {
  const { reader } = tools;
  const failures = new Map<string, number>();
  return defineController({
    name: 'apiservice-availability-controller',
    watches: [
      watched(APIService, ({ metadata }) => [metadata.name]),
      watched(Service, ({ metadata }) => concerned(metadata.namespace, metadata.name)),
      watched(EndpointSlice, ({ metadata }) => concerned(metadata.namespace, own(metadata.labels, serviceNameLabel))),
    ],
    async reconcile(name, io): Promise<Outcome> {
      const service = reader.get(APIService, { name });
      if (!service?.spec.service) {
        failures.delete(name);
        if (service) await tell(service, local, io);
        return undefined;
      }
      const found = planAvailability(service, reader) ?? (await inTime(io, (signal) => askAvailability(service, tools, signal)));
      await learn(service, tools, { kinds, io, isAvailable: found.status === 'True' });
      await tell(service, found, io);
      if (found.status === 'True') {
        failures.delete(name);
        return { requeueAfterMs: lookAgainMs };
      }
      const failed = failures.get(name) ?? 0;
      failures.set(name, failed + 1);
      return { requeueAfterMs: Math.min(retryMsMin * 2 ** failed, lookAgainMs) };
    },
  });

  function concerned(namespace: string | undefined, name: string | undefined): readonly string[] {
    return [...reader.list(APIService)]
      .filter(({ spec: { service } }) => service !== undefined && service.namespace === namespace && service.name === name)
      .map(({ metadata }) => metadata.name);
  }
}

/** Serves the group-version by its backend, or by this server. */
export async function register(kinds: BackendKinds, name: string, service: APIService | undefined): Promise<void> {
  const dot = name.indexOf('.');
  const groupVersion = { version: name.slice(0, dot), group: name.slice(dot + 1) };
  if (service?.spec.service) await putBackend(kinds, service, {});
  else if (kinds.served.backend(groupVersion.group, groupVersion.version)) await kinds.removeBackend(groupVersion);
}

/** With what is known of it now beside what was known before. */
async function putBackend(
  kinds: BackendKinds,
  { spec: { group = '', version = '', groupPriorityMinimum, versionPriority } }: APIService,
  learnt: Learnt,
): Promise<void> {
  const known = kinds.served.backend(group, version);
  const backend = { ...known, group, version, groupPriorityMinimum, versionPriority, ...learnt };
  if (!equalJson(known, backend)) await kinds.putBackend(backend);
}

/** What it serves, where it can say so. */
async function learn(
  service: APIService,
  tools: BackendTools,
  { kinds, io, isAvailable }: { readonly kinds: BackendKinds; readonly io: ControllerIO; readonly isAvailable: boolean },
): Promise<void> {
  if (!isAvailable) return await keep(service, tools, kinds, { isAvailable });
  const { group = '', version = '' } = service.spec;
  const known = kinds.served.backend(group, version)?.openAPIV2;
  const unlessItFails = <T>(ask: (signal: AbortSignal) => Promise<T | undefined>) =>
    inTime(io, (signal) => ask(signal).catch(() => undefined));
  const [resources, openAPI, openAPIV2] = await Promise.all([
    unlessItFails((signal) => discoverResources(service, tools, signal)),
    unlessItFails((signal) => discoverOpenAPI(service, tools, signal)),
    unlessItFails((signal) => discoverOpenAPIV2(service, tools, { known, signal })),
  ]);
  const learnt = { isAvailable, ...(resources && { resources }), ...(openAPI && { openAPI }), ...(openAPIV2 && { openAPIV2 }) };
  await keep(service, tools, kinds, learnt);
}

type Learnt = Pick<Backend, 'resources' | 'openAPI' | 'openAPIV2' | 'isAvailable'>;

/** Unless its APIService has gone meanwhile: whoever was asked may have taken his time. */
async function keep(service: APIService, { reader }: BackendTools, kinds: BackendKinds, learnt: Learnt): Promise<void> {
  const { name, uid } = service.metadata;
  if (reader.get(APIService, { name })?.metadata.uid === uid) await putBackend(kinds, service, learnt);
}

/** What is asked of others lives in real time, and has five seconds of it. */
async function inTime<T>(io: ControllerIO, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const time = new AbortController();
  const timer = realClock.setTimeout(() => time.abort(), questionMsMax);
  try {
    const asked = ask(AbortSignal.any([time.signal, io.signal]));
    io.clock.holdFor?.(asked);
    return await asked;
  } finally {
    timer.cancel();
  }
}

async function tell(service: APIService, { status, reason, message }: Availability, io: ControllerIO): Promise<void> {
  const condition = { type: 'Available', status, reason, message, lastTransitionTime: formatTime(io.clock.now()) };
  const conditions = withCondition(service.status.conditions, condition);
  if (conditions === service.status.conditions) return;
  try {
    await io.client.update(APIService, { ...service, status: { ...service.status, conditions } } as APIService, { subresource: 'status' });
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error; // it comes again by itself
  }
}
