/** What a pod's spec means in the runtime's words: names, resolvers, rights, resources. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { container, type TestPod, testPod } from '../../../../test/kit/test-pods.ts';
import type { Container, PodSpec } from '../../../api/generated/core-v1.ts';
import { containerConfig } from '../container/container-config.ts';
import {
  cgroupParent,
  containerResources,
  cpuQuotaUs,
  cpuShares,
  oomScoreAdjust,
  podCgroupNames,
  podCgroupResources,
  podTotals,
} from '../container/container-resources.ts';
import { containerSecurityContext, verifyNonRoot } from '../container/security-context.ts';
import { parseResolvConf, podDNS } from './dns-config.ts';
import { largerResources, planCgroupFiles, sharesToWeight } from './pod-cgroups.ts';
import { kernelHostname, podHostname, renderHostsFile } from './pod-hostname.ts';
import { readContainerNotes } from './runtime-labels.ts';
import { sandboxConfig } from './sandbox-config.ts';

describe('podDNS', () => {
  const host = parseResolvConf('# comment\nnameserver 192.0.2.53\nsearch example.com. .\noptions ndots:1 ndots:2 rotate\n');
  assert.deepEqual(host, { servers: ['192.0.2.53'], searches: ['example.com'], options: ['ndots:2', 'rotate'] });
  const cluster = ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'example.com'];
  const rows: readonly {
    readonly name: string;
    readonly spec: Partial<PodSpec>;
    readonly dns?: readonly string[];
    readonly want: unknown;
  }[] = [
    { name: 'ClusterFirst', spec: {}, want: { servers: ['10.96.0.10'], searches: cluster, options: ['ndots:5'] } },
    { name: 'ClusterFirst on the host network is Default', spec: { hostNetwork: true }, want: host },
    {
      name: 'ClusterFirstWithHostNet',
      spec: { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' },
      want: { servers: ['10.96.0.10'], searches: cluster, options: ['ndots:5'] },
    },
    { name: 'Default', spec: { dnsPolicy: 'Default' }, want: host },
    {
      name: 'None',
      spec: { dnsPolicy: 'None', dnsConfig: { nameservers: ['192.0.2.9'], searches: ['a.b'], options: [{ name: 'x' }] } },
      want: { servers: ['192.0.2.9'], searches: ['a.b'], options: ['x'] },
    },
    {
      name: 'more of one’s own',
      spec: { dnsConfig: { nameservers: ['192.0.2.9'], options: [{ name: 'ndots', value: '2' }] } },
      want: { servers: ['10.96.0.10', '192.0.2.9'], searches: cluster, options: ['ndots:2'] },
    },
    { name: 'without cluster DNS', spec: {}, dns: [], want: host },
  ];
  for (const { name, spec, dns = ['10.96.0.10'], want } of rows) {
    test(name, () =>
      assert.deepEqual(podDNS({ pod: testPod({ spec }), host, clusterDNS: dns, clusterDomain: 'cluster.local' }).config, want),
    );
  }
  test('more than three servers are too many', () => {
    const spec: Partial<PodSpec> = { dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4'] } };
    const { config, warnings } = podDNS({ pod: testPod({ spec }), host, clusterDNS: [], clusterDomain: '' });
    assert.equal(config.servers.length, 3);
    assert.match(warnings[0]?.message ?? '', /^Nameserver limits were exceeded, .* applied nameserver line is: 1.1.1.1 2.2.2.2 3.3.3.3$/);
  });
});

describe('limits of a pod’s search list', () => {
  const label = 'a'.repeat(60);
  const long = [label, label, label, label].join('.'); // 243 characters
  const many = Array.from({ length: 34 }, (_, i) => `s${i}`);
  const rows: readonly {
    readonly name: string;
    readonly searches: readonly string[];
    readonly want: readonly string[];
    readonly warned: boolean;
  }[] = [
    { name: '32 paths', searches: many.slice(0, 32), want: many.slice(0, 32), warned: false },
    { name: 'more than 32 paths', searches: many, want: many.slice(0, 32), warned: true },
    { name: 'one path of more than 253 characters', searches: ['x', `${long}.${label}`, 'y'], want: ['x', 'y'], warned: true },
    {
      name: 'more than 2048 characters',
      searches: Array.from({ length: 9 }, (_, i) => `${i}.${long}`),
      want: Array.from({ length: 8 }, (_, i) => `${i}.${long}`),
      warned: true,
    },
    { name: 'the same path twice', searches: ['x', 'y', 'x'], want: ['x', 'y'], warned: false },
  ];
  for (const { name, searches, want, warned } of rows) {
    test(name, () => {
      const spec: Partial<PodSpec> = { dnsPolicy: 'None', dnsConfig: { nameservers: ['192.0.2.9'], searches } };
      const host = parseResolvConf('');
      const { config, warnings } = podDNS({ pod: testPod({ spec }), host, clusterDNS: [], clusterDomain: '' });
      assert.deepEqual(config.searches, want);
      const message = `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${want.join(' ')}`;
      assert.deepEqual(warnings, warned ? [{ reason: 'DNSConfigForming', message }] : []);
    });
  }
});

describe('podHostname', () => {
  const rows: readonly { readonly name: string; readonly pod: TestPod; readonly want: readonly string[] }[] = [
    { name: 'the pod’s name', pod: {}, want: ['web', '', 'web'] },
    {
      name: 'its own, with a subdomain',
      pod: { spec: { hostname: 'h', subdomain: 's' } },
      want: ['h', 's.default.svc.cluster.local', 'h'],
    },
    {
      name: 'as a whole',
      pod: { spec: { hostname: 'h', subdomain: 's', setHostnameAsFQDN: true } },
      want: ['h', 's.default.svc.cluster.local', 'h.s.default.svc.cluster.local'],
    },
    { name: 'overridden', pod: { spec: { hostnameOverride: 'a.b', subdomain: 's' } }, want: ['a.b', '', 'a.b'] },
    { name: 'cut to 63 characters', pod: { metadata: { name: `${'a'.repeat(62)}-b` } }, want: ['a'.repeat(62), '', 'a'.repeat(62)] },
  ];
  for (const { name, pod, want } of rows) {
    test(name, () => {
      const got = podHostname(testPod(pod), 'cluster.local');
      assert.deepEqual([got.hostname, got.domain, kernelHostname(testPod(pod), got)], want);
    });
  }
  test('/etc/hosts', () => {
    const text = renderHostsFile({
      ips: ['10.0.0.2'],
      name: { hostname: 'h', domain: 's.d' },
      aliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }],
    });
    assert.match(text, /\n10\.0\.0\.2\th\.s\.d\th\n\n# Entries added by HostAliases\.\n1\.2\.3\.4\ta\tb\n$/);
  });
});

describe('resources', () => {
  test('shares and quota', () => {
    assert.deepEqual([0, 1, 100, 1000, 1e9].map(cpuShares), [2, 2, 102, 1024, 262144]);
    assert.deepEqual([0, 1, 100, 1500].map(cpuQuotaUs), [0, 1000, 10000, 150000]);
  });
  const limits: Partial<Container> = { resources: { requests: { cpu: '100m', memory: '32Mi' }, limits: { cpu: '1', memory: '64Mi' } } };
  test('a container', () => {
    const pod = testPod({ status: { qosClass: 'Burstable' }, spec: { containers: [container('main', limits)] } });
    assert.deepEqual(containerResources(pod, container('main', limits), 2 ** 30), {
      cpuShares: 102,
      cpuPeriod: 100_000,
      cpuQuota: 100_000,
      memoryLimitInBytes: 64 * 2 ** 20,
      oomScoreAdj: 969,
    });
  });
  test('the out-of-memory score by class', () => {
    const score = (qosClass: 'Burstable' | 'Guaranteed' | 'BestEffort', memory = '32Mi', priority = 0): number =>
      oomScoreAdjust(
        testPod({ status: { qosClass }, spec: { priority } }),
        container('main', { resources: { requests: { memory } } }),
        2 ** 30,
      );
    assert.deepEqual(
      [
        score('Guaranteed'),
        score('BestEffort'),
        score('Burstable', '0'),
        score('Burstable', '1Gi'),
        score('BestEffort', '0', 2_000_001_000),
      ],
      [-997, 1000, 999, 3, -997],
    );
  });
  test('memory asked for by the pod as a whole protects its containers alike', () => {
    const part = container('main', { resources: { requests: { memory: '128Mi' } } });
    const spec = { containers: [part, container('other')], resources: { requests: { memory: '512Mi' } } };
    const pod = testPod({ status: { qosClass: 'Burstable' }, spec });
    assert.deepEqual(
      spec.containers.map((c) => oomScoreAdjust(pod, c, 2 ** 30)),
      [688, 813],
    );
  });
  test('room for what a pod has and for what it is to have', () => {
    const has = { cpuShares: 100, cpuPeriod: 100_000, cpuQuota: 50_000, memoryLimitInBytes: 2000 };
    assert.deepEqual(largerResources(has, { cpuShares: 200, cpuPeriod: 100_000, cpuQuota: 20_000, memoryLimitInBytes: 1000 }), {
      ...has,
      cpuShares: 200,
    });
    assert.deepEqual(largerResources(has, { cpuShares: 50 }), { cpuShares: 100, cpuPeriod: 100_000, cpuQuota: 0 });
  });
  test('a pod: sidecars beside all, init containers one by one', () => {
    const cpu = (name: string, value: string, more: Partial<Container> = {}): Container =>
      container(name, { resources: { requests: { cpu: value } }, ...more });
    const spec: Partial<PodSpec> = {
      containers: [cpu('a', '100m'), cpu('b', '200m')],
      initContainers: [cpu('big', '1'), cpu('side', '50m', { restartPolicy: 'Always' }), cpu('late', '400m')],
      overhead: { cpu: '10m' },
    };
    assert.equal(podTotals(testPod({ spec })).cpuRequestMilli, 1010);
    assert.equal(podTotals(testPod({ spec: { ...spec, initContainers: spec.initContainers?.slice(1) ?? [] } })).cpuRequestMilli, 460);
  });
  test('the pod’s cgroup', () => {
    const spec = { containers: [container('main', limits)] };
    const pod = testPod({ spec, status: { qosClass: 'Burstable' } });
    assert.deepEqual(podCgroupResources(pod), { cpuShares: 102, cpuPeriod: 100_000, cpuQuota: 100_000, memoryLimitInBytes: 64 * 2 ** 20 });
    const names = podCgroupNames(pod, ['node']);
    assert.equal(cgroupParent(names, 'cgroupfs'), '/node/kubepods/burstable/poduid-1');
    assert.equal(cgroupParent(names, 'systemd'), 'node-kubepods-burstable-poduid_1.slice');
  });
  test('cgroup files of both versions', () => {
    const resources = { cpuShares: 1024, cpuPeriod: 100_000, cpuQuota: 50_000, memoryLimitInBytes: 1024 };
    const of = (version: 1 | 2) =>
      planCgroupFiles({ version, controllers: ['cpu', 'memory'] }, resources).map((f) => `${f.file}=${f.value}`);
    assert.deepEqual(of(1), ['cpu.shares=1024', 'cpu.cfs_period_us=100000', 'cpu.cfs_quota_us=50000', 'memory.limit_in_bytes=1024']);
    assert.deepEqual(of(2), ['cpu.weight=39', 'cpu.max=50000 100000', 'memory.max=1024']);
    assert.deepEqual([2, 1024, 262144].map(sharesToWeight), [1, 39, 10000]);
  });
});

describe('security', () => {
  const of = (main: Partial<Container>, spec: Partial<PodSpec> = {}) =>
    containerSecurityContext({
      pod: testPod({ spec }),
      container: container('main', main),
      image: { uid: 0, username: '' },
      seccompRoot: '/seccomp',
    });
  test('the container’s word wins', () => {
    const got = of(
      { securityContext: { runAsUser: 5, capabilities: { add: ['NET_ADMIN'] } } },
      { securityContext: { runAsUser: 1, runAsGroup: 2, fsGroup: 3, supplementalGroups: [4] } },
    );
    assert.deepEqual([got.runAsUser, got.runAsGroup, got.supplementalGroups], [{ value: 5 }, { value: 2 }, [3, 4]]);
    assert.deepEqual(got.capabilities, { addCapabilities: ['NET_ADMIN'], dropCapabilities: [] });
  });
  test('the image’s user when nobody says another', () => assert.deepEqual(of({}).runAsUser, { value: 0 }));
  test('privilege escalation, seccomp, proc', () => {
    const got = of({
      securityContext: {
        allowPrivilegeEscalation: false,
        seccompProfile: { type: 'Localhost', localhostProfile: 'p.json' },
        procMount: 'Unmasked',
      },
    });
    assert.deepEqual(
      [got.noNewPrivs, got.seccomp, got.maskedPaths],
      [true, { profileType: 'Localhost', localhostRef: '/seccomp/p.json' }, []],
    );
    assert.deepEqual(of({}).seccomp, { profileType: 'Unconfined' });
  });
  test('namespaces', () => {
    assert.deepEqual(of({}, { hostPID: true }).namespaceOptions, { ipc: 'POD', network: 'POD', pid: 'NODE' });
    assert.deepEqual(of({}, { shareProcessNamespace: true }).namespaceOptions, { ipc: 'POD', network: 'POD', pid: 'POD' });
  });
  for (const [uid, username, runAsUser, want] of [
    [0, '', undefined, 'container has runAsNonRoot and image will run as root (pod: "web_default(uid-1)", container: main)'],
    [
      undefined,
      'app',
      undefined,
      'container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root (pod: "web_default(uid-1)", container: main)',
    ],
    [0, '', 0, `container's runAsUser breaks non-root policy (pod: "web_default(uid-1)", container: main)`],
    [0, '', 7, undefined],
    [7, '', undefined, undefined],
  ] as const) {
    test(`runAsNonRoot: image ${uid ?? username}, container ${runAsUser}`, () => {
      const main = container('main', { securityContext: { runAsNonRoot: true, ...(runAsUser !== undefined && { runAsUser }) } });
      const check = (): void => verifyNonRoot(testPod(), main, { username, uid });
      if (want) assert.throws(check, { message: want });
      else check();
    });
  }
});

test('the sandbox', () => {
  const pod = testPod({
    spec: {
      securityContext: { sysctls: [{ name: 'net/core/somaxconn', value: '1' }] },
      containers: [container('main', { ports: [{ containerPort: 80, hostPort: 8080 }] })],
    },
  });
  const config = sandboxConfig({ pod, attempt: 2, dns: {}, clusterDomain: 'cluster.local', logsRoot: '/logs', cgroupParent: '/p' });
  assert.deepEqual(config.metadata, { name: 'web', namespace: 'default', uid: 'uid-1', attempt: 2 });
  assert.equal(config.hostname, 'web');
  assert.equal(config.logDirectory, '/logs/default_web_uid-1');
  assert.deepEqual(config.portMappings, [{ containerPort: 80, hostPort: 8080, protocol: 'TCP' }]);
  assert.deepEqual(config.linux?.sysctls, { 'net.core.somaxconn': '1' });
  const host = sandboxConfig({ pod: testPod({ spec: { hostNetwork: true } }), attempt: 0, dns: {}, clusterDomain: '', logsRoot: '' });
  assert.deepEqual([host.hostname, host.portMappings], [undefined, undefined]);
});

test('what is written on a container can be read back', () => {
  const main = container('main', { lifecycle: { preStop: { sleep: { seconds: 1 } } }, terminationMessagePath: '/t', command: ['$(A)'] });
  const config = containerConfig({
    pod: testPod({ metadata: { deletionGracePeriodSeconds: 5 } }),
    container: main,
    restartCount: 3,
    imageRef: 'sha256:1',
    image: { uid: 0, username: '' },
    env: new Map([['A', 'x']]),
    mounts: [],
    devices: [],
    seccompRoot: '',
    memoryCapacityBytes: 1,
  });
  const { hash: _, ...notes } = readContainerNotes(config.annotations ?? {});
  assert.deepEqual(notes, {
    restartCount: 3,
    terminationMessagePath: '/t',
    terminationMessagePolicy: '',
    deletionGraceSeconds: 5,
    terminationGraceSeconds: 30,
    preStop: { sleep: { seconds: 1 } },
    ports: undefined,
  });
  assert.deepEqual([config.command, config.logPath], [['x'], 'main/3.log']);
});
