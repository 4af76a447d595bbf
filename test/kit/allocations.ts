/**
 * What is handed out (addresses, node ports, ranges of nodes, quota), put under load and judged: an API server on any
 * store, random acts of clients on it, and what of a store's state contradicts itself.
 */
import type { ServiceSpec } from '../../src/api/generated/core-v1.ts';
import { ConfigMap, type IPAddress, Node, Pod, ResourceQuota, Service } from '../../src/api/generated/kinds.ts';
import { builtInRegistry } from '../../src/api/kinds/all.ts';
import type { KubeObject } from '../../src/api/meta/object.ts';
import { compareQuantities } from '../../src/api/meta/quantity.ts';
import { isStatusError } from '../../src/api/meta/status-error.ts';
import type { Client } from '../../src/client/client.ts';
import { type Clock, seededRandom } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { type ApiServer, createApiServer } from '../../src/control-plane/api-server/api-server.ts';
import { securityFor } from '../../src/control-plane/api-server/security.ts';
import { memoryFiles, openClusterPKI } from '../../src/control-plane/pki/cluster-pki.ts';
import type { KeyValue, Revision, Storage } from '../../src/control-plane/store/storage.ts';

const namespace = 'shop';
const nodePortRange = { from: 30000, to: 30011 };
const hard = { 'count/configmaps': '3', 'requests.cpu': '1', services: '6', 'services.nodeports': '8' };

/** The quota that all acts come under. */
export const limit = (client: Client): Promise<unknown> =>
  client.create(ResourceQuota, { metadata: { namespace, name: 'small' }, spec: { hard } });

/** An API server that hands out little, so that its clients are in each other's way. */
export async function startAllocatingServer(
  storage: Storage,
  { clock, seed }: { readonly clock: Clock; readonly seed: number },
): Promise<ApiServer & AsyncDisposable> {
  const random = seededRandom(seed);
  const pki = await openClusterPKI({ files: memoryFiles(), clock, seed });
  const stack = new AsyncDisposableStack();
  const config = { serviceCIDRs: ['10.0.0.0/27'], nodePortRange, disabledAdmissionPlugins: ['ServiceAccount', 'NamespaceLifecycle'] };
  const server = await createApiServer({
    storage,
    registry: builtInRegistry(),
    clock,
    random,
    log: silentLog,
    parts: ({ reader, ops, claims, loopback, registry }) =>
      stack.use(securityFor({ reader, ops, claims, loopback, pki, clock, random, log: silentLog, served: () => registry.current, config })),
  });
  return Object.assign(Object.create(server) as ApiServer, {
    loopback: server.loopback,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await stack.disposeAsync();
    },
  });
}

/** One random act; refusals are part of it. */
export async function act(client: Client, next: () => number): Promise<void> {
  const pick = <T>(...from: readonly [T, ...T[]]): T => from[Math.floor(next() * from.length)] ?? from[0];
  const name = `x${Math.floor(next() * 8)}`;
  const at = { namespace, name };
  const ports = [{ name: 'a', port: 80 }, ...(next() < 0.3 ? [{ name: 'b', port: 81, nodePort: 30000 + Math.floor(next() * 12) }] : [])];
  const spec: ServiceSpec = {
    type: pick('ClusterIP', 'NodePort', 'NodePort', 'ExternalName'),
    externalName: 'example.com',
    ports,
    ...(next() < 0.3 && { clusterIP: `10.0.0.${1 + Math.floor(next() * 30)}` }),
  };
  const container = { name: 'c', image: 'i', resources: { requests: { cpu: pick('100m', '300m') } } };
  const podCIDR = `10.244.${Math.floor(next() * 4)}.0/24`;
  const acts: readonly (() => Promise<unknown>)[] = [
    () => client.create(Service, { metadata: at, spec }),
    () => client.create(Service, { metadata: at, spec }),
    () => client.patch(Service, at, { type: 'merge', body: { spec: { ...spec, clusterIP: null, clusterIPs: null } } }),
    () => client.patch(Service, at, { type: 'merge', body: { spec: { type: 'NodePort', ports } } }),
    () => client.delete(Service, at),
    () => client.create(Pod, { metadata: at, spec: { containers: [container] } }),
    () => client.delete(Pod, at, { gracePeriodSeconds: 0 }),
    () => client.patch(Pod, at, { type: 'merge', body: { status: { phase: 'Succeeded' } } }, { subresource: 'status' }),
    () => client.create(ConfigMap, { metadata: at }),
    () => client.delete(ConfigMap, at),
    () => client.create(Node, { metadata: { name }, spec: next() < 0.3 ? { podCIDR, podCIDRs: [podCIDR] } : {} }),
    () => client.patch(Node, { name }, { type: 'strategic', body: { spec: { podCIDR, podCIDRs: [podCIDR] } } }),
    () => client.delete(Node, { name }),
  ];
  await acts[Math.floor(next() * acts.length)]?.().catch((error: unknown) => {
    if (!isStatusError(error)) throw error;
  });
}

export interface State {
  readonly items: readonly KeyValue[];
  of<T extends KubeObject>(prefix: string): readonly T[];
}

export async function stateAt(storage: Storage, revision: Revision): Promise<State> {
  const { items } = await storage.range({ prefix: '/registry/', atRevision: revision });
  return {
    items,
    of: <T>(prefix: string) =>
      items.filter(({ key }) => key.startsWith(`/registry/${prefix}/`)).map(({ value }) => JSON.parse(Buffer.from(value).toString()) as T),
  };
}

const place = ({ metadata }: KubeObject): string => `${metadata.namespace}/${metadata.name}`;

/** What of the state contradicts itself; each holding is a line `thing: holder`. */
export function contradictions(state: State): string[] {
  const services = state.of<Service>('services/specs');
  const addresses = services.flatMap((s) =>
    (s.spec.type === 'ExternalName' ? [] : (s.spec.clusterIPs ?? [])).map((ip) => `${ip}: ${place(s)}`),
  );
  const recorded = state
    .of<IPAddress>('ipaddresses')
    .map(({ metadata, spec }) => `${metadata.name}: ${spec?.parentRef?.namespace}/${spec?.parentRef?.name}`);
  const portsOf = (s: Service): number[] => [...new Set((s.spec.ports ?? []).flatMap(({ nodePort }) => nodePort ?? []))];
  const ports = services.flatMap((s) => portsOf(s).map((port) => `${port}: ${s.metadata.uid}`));
  const claimed = (thing: string): string[] =>
    state.of<KubeObject & { holder: { uid: string } }>(`claims/${thing}`).map(({ metadata, holder }) => `${metadata.name}: ${holder.uid}`);
  const nodes = state.of<Node>('minions');
  const ranges = new Set(nodes.flatMap(({ metadata, spec }) => (spec.podCIDRs ?? []).map((range) => `${range}: ${metadata.uid}`)));
  return [
    ...differences('address', addresses, recorded),
    ...differences('node port', ports, claimed('nodeports')),
    ...claimed('podcidrs').flatMap((line) => (ranges.has(line) ? [] : [`a claim of nobody: ${line}`])),
    ...state.of<ResourceQuota>('resourcequotas').flatMap((quota) => overcommitted(quota, state)),
  ];
}

function differences(what: string, held: readonly string[], recorded: readonly string[]): string[] {
  const things = held.map((line) => line.split(': ')[0]);
  return [
    ...things.filter((thing, i) => things.indexOf(thing) !== i).map((thing) => `two have the ${what} ${thing}`),
    ...held.filter((line) => !recorded.includes(line)).map((line) => `no record of the ${what} ${line}`),
    ...recorded.filter((line) => !held.includes(line)).map((line) => `a leaked ${what} ${line}`),
  ];
}

export function usedOf(state: State): Readonly<Record<string, number>> {
  const pods = state.of<Pod>('pods').filter(({ status }) => status.phase !== 'Succeeded');
  const milli = pods.map(({ spec }) => Number.parseInt(String(spec.containers[0]?.resources?.requests?.['cpu']), 10));
  const services = state.of<Service>('services/specs');
  return {
    'count/configmaps': state.of('configmaps').length,
    'requests.cpu': milli.reduce((sum, each) => sum + each, 0) / 1000,
    services: services.length,
    'services.nodeports': services
      .filter(({ spec }) => spec.type === 'NodePort')
      .reduce((sum, { spec }) => sum + (spec.ports?.length ?? 0), 0),
  };
}

function overcommitted({ spec, status }: ResourceQuota, state: State): string[] {
  const actual = usedOf(state);
  return Object.entries(spec?.hard ?? {}).flatMap(([name, hard]) => {
    const used = status?.used?.[name];
    if (used === undefined) return [];
    const found = actual[name] ?? 0;
    return [
      ...(compareQuantities(`${found}`, hard) > 0 ? [`${name}: ${found} of ${hard}`] : []),
      ...(compareQuantities(used, `${found}`) < 0 ? [`${name}: ${used} counted, ${found} there`] : []),
    ];
  });
}
