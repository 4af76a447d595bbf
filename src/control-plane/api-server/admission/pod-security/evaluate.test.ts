import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObjectMap } from '../../../../../test/kit/object-map.ts';
import { runPlugin, storedMeta } from '../../../../../test/kit/test-request.ts';
import type { Container, PodSpec } from '../../../../api/generated/core-v1.ts';
import { Deployment, Namespace, Pod } from '../../../../api/generated/kinds.ts';
import { podSecurity } from '../pod-security.ts';
import { describeViolations, violations } from './evaluate.ts';
import type { Level } from './level.ts';

const hardened: Container = {
  name: 'c',
  securityContext: {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
};
const withContext = (more: NonNullable<Container['securityContext']>, base: Container = { name: 'c' }): Partial<PodSpec> => ({
  containers: [{ ...base, securityContext: { ...base.securityContext, ...more } }],
});

const table: readonly {
  name: string;
  level?: Level;
  minor?: number;
  spec: Partial<PodSpec>;
  annotations?: Record<string, string>;
  want: string;
}[] = [
  { name: 'nothing said', spec: {}, want: '' },
  { name: 'hardened', level: 'restricted', spec: { containers: [hardened] }, want: '' },
  {
    name: 'host namespaces and ports',
    spec: {
      hostPID: true,
      hostIPC: true,
      containers: [
        {
          name: 'c',
          ports: [
            { containerPort: 1, hostPort: 80 },
            { containerPort: 2, hostPort: 443 },
          ],
        },
      ],
    },
    want: 'host namespaces (hostPID=true, hostIPC=true), hostPort (container "c" uses hostPorts 443, 80)',
  },
  {
    name: 'privileged, in two containers',
    spec: {
      initContainers: [{ name: 'i', securityContext: { privileged: true } }],
      containers: [{ name: 'c', securityContext: { privileged: true } }],
    },
    want: 'privileged (containers "i", "c" must not set securityContext.privileged=true)',
  },
  {
    name: 'capabilities',
    spec: withContext({ capabilities: { add: ['SYS_ADMIN', 'NET_RAW', 'CHOWN'] } }),
    want: 'non-default capabilities (container "c" must not include "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add)',
  },
  {
    name: 'hostPath and sysctls',
    spec: {
      volumes: [{ name: 'h', hostPath: { path: '/' } }],
      securityContext: {
        sysctls: [
          { name: 'net.ipv4.tcp_rmem', value: '1' },
          { name: 'kernel.msgmax', value: '1' },
        ],
      },
    },
    want: 'hostPath volumes (volume "h"), forbidden sysctls (kernel.msgmax)',
  },
  {
    name: 'a sysctl that was not safe then',
    minor: 31,
    spec: { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1' }] } },
    want: 'forbidden sysctls (net.ipv4.tcp_rmem)',
  },
  {
    name: 'AppArmor by field and annotation',
    spec: { securityContext: { appArmorProfile: { type: 'Unconfined' } } },
    annotations: { 'container.apparmor.security.beta.kubernetes.io/c': 'unconfined' },
    want: 'forbidden AppArmor profiles (pod and annotation must not set AppArmor profile type to "Unconfined", "container.apparmor.security.beta.kubernetes.io/c="unconfined"")',
  },
  {
    name: 'SELinux',
    spec: { securityContext: { seLinuxOptions: { type: 'x', user: 'u' } }, ...withContext({ seLinuxOptions: { role: 'r' } }) },
    want: 'seLinuxOptions (pod and container "c" set forbidden securityContext.seLinuxOptions: type "x"; user may not be set; role may not be set)',
  },
  {
    name: 'an open proc',
    spec: withContext({ procMount: 'Unmasked' }),
    want: 'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
  },
  { name: 'an open proc with own users', spec: { hostUsers: false, ...withContext({ procMount: 'Unmasked' }) }, want: '' },
  {
    name: 'a probe of another host',
    spec: { containers: [{ name: 'c', livenessProbe: { httpGet: { port: 1, host: '10.0.0.1' } } }] },
    want: 'probe or lifecycle host (container "c" uses probe or lifecycle host "10.0.0.1")',
  },
  {
    name: 'a host process',
    spec: { securityContext: { windowsOptions: { hostProcess: true } } },
    want: 'hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)',
  },
  {
    name: 'root, and volumes that are restricted',
    level: 'restricted',
    spec: {
      volumes: [
        { name: 'n', nfs: { server: 's', path: '/' } },
        { name: 'h', hostPath: { path: '/' } },
      ],
      ...withContext({ runAsNonRoot: false, runAsUser: 0, seccompProfile: { type: 'Unconfined' } }, hardened),
    },
    want: 'restricted volume types (volumes "n", "h" use restricted volume types "hostPath", "nfs"), runAsNonRoot != true (container "c" must not set securityContext.runAsNonRoot=false), runAsUser=0 (container "c" must not set runAsUser=0), seccompProfile (container "c" must not set securityContext.seccompProfile.type to "Unconfined")',
  },
  {
    name: 'root of its own users',
    level: 'restricted',
    spec: { hostUsers: false, ...withContext({ runAsNonRoot: false, runAsUser: 0 }, hardened) },
    want: '',
  },
  { name: 'Windows', level: 'restricted', spec: { os: { name: 'windows' }, securityContext: { runAsNonRoot: true } }, want: '' },
];
for (const { name, level = 'baseline', minor = Number.POSITIVE_INFINITY, spec, annotations, want } of table) {
  test(`pod security, ${level}: ${name}`, () => {
    const metadata = annotations ? { annotations } : {};
    assert.equal(describeViolations(violations({ level, minor }, { metadata, spec: { containers: [{ name: 'c' }], ...spec } })), want);
  });
}

const namespace = (name: string, labels: Record<string, string>): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { ...storedMeta, name, labels },
  spec: {},
  status: {},
});
const pod = (namespaceName: string, name: string, spec: Partial<PodSpec>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...storedMeta, namespace: namespaceName, name },
  spec: { containers: [{ name: 'c' }], ...spec },
  status: {},
});
const enforced = { 'pod-security.kubernetes.io/enforce': 'baseline' };

test('pod security warns about workloads, and about pods that are there when a namespace gets stricter', async () => {
  const bad = { hostNetwork: true };
  const objects = new ObjectMap()
    .put(Namespace, namespace('a', enforced))
    .put(Pod, pod('b', 'one', bad), pod('b', 'two', bad), pod('b', 'three', { hostPID: true, ...bad }), pod('b', 'fine', {}));
  const plugin = podSecurity(objects);
  const warnings: string[] = [];
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...storedMeta, namespace: 'a', name: 'd' },
    spec: { template: { spec: { containers: [{ name: 'c' }], ...bad } } },
  };
  await runPlugin(plugin, { kind: Deployment, object: deployment, warnings });
  assert.deepEqual(warnings.splice(0), ['would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)']);
  await runPlugin(plugin, { kind: Namespace, object: namespace('b', enforced), old: namespace('b', {}), warnings });
  assert.deepEqual(warnings.splice(0), [
    'existing pods in namespace "b" violate the new PodSecurity enforce level "baseline:latest"',
    'one (and 2 other pods): host namespaces',
  ]);
  const wrong = namespace('b', { 'pod-security.kubernetes.io/warn': 'x', 'pod-security.kubernetes.io/warn-version': '2' });
  assert.equal(
    await runPlugin(plugin, { kind: Namespace, object: wrong }),
    'Namespace "b" is invalid: [metadata.labels[pod-security.kubernetes.io/warn]: Invalid value: "x": must be one of privileged, baseline, restricted, metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "2": must be "latest" or "v1.x"]',
  );
});
