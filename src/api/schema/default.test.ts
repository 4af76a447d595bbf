import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyDefaults } from './default.ts';
import { objectSchema, typeNames, typeSchema } from './types.ts';

const rows: readonly { name: string; type: string; given: object; want: object }[] = [
  {
    name: 'constants of both tables, at any depth',
    type: 'io.k8s.api.core.v1.PodSpec',
    given: {
      containers: [{ name: 'c', ports: [{ containerPort: 80 }], livenessProbe: { httpGet: { port: 80 }, periodSeconds: 5 } }],
      volumes: [{ name: 'v', secret: { secretName: 's' } }],
    },
    want: {
      dnsPolicy: 'ClusterFirst',
      restartPolicy: 'Always',
      securityContext: {},
      terminationGracePeriodSeconds: 30,
      schedulerName: 'default-scheduler',
      containers: [
        {
          name: 'c',
          ports: [{ containerPort: 80, protocol: 'TCP' }],
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          livenessProbe: {
            httpGet: { port: 80, path: '/', scheme: 'HTTP' },
            periodSeconds: 5,
            timeoutSeconds: 1,
            successThreshold: 1,
            failureThreshold: 3,
          },
        },
      ],
      volumes: [{ name: 'v', secret: { secretName: 's', defaultMode: 420 } }],
    },
  },
  {
    name: 'a pointer to zero is kept, a plain zero is not',
    type: 'io.k8s.api.apps.v1.DeploymentSpec',
    given: { replicas: 0, strategy: { type: '' }, template: { spec: { terminationGracePeriodSeconds: 0, containers: [] } } },
    want: {
      replicas: 0,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate' },
      template: {
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [],
          dnsPolicy: 'ClusterFirst',
          restartPolicy: 'Always',
          securityContext: {},
          schedulerName: 'default-scheduler',
        },
      },
    },
  },
  {
    name: 'a default that has defaults of its own',
    type: 'io.k8s.api.apps.v1.StatefulSetSpec',
    given: { replicas: 3, podManagementPolicy: 'Parallel', revisionHistoryLimit: 1 },
    want: {
      replicas: 3,
      podManagementPolicy: 'Parallel',
      revisionHistoryLimit: 1,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    },
  },
  {
    name: 'resources are rounded up to thousandths',
    type: 'io.k8s.api.core.v1.ResourceRequirements',
    given: { limits: { cpu: '1u', memory: '5' }, requests: { cpu: '1500u', memory: '3n' } },
    want: { limits: { cpu: '1m', memory: '5' }, requests: { cpu: '2m', memory: '1m' } },
  },
];

test('constant defaults', async (t) => {
  for (const { name, type, given, want } of rows) {
    await t.test(name, () => {
      const before = JSON.stringify(given);
      const filled = applyDefaults(objectSchema(type), given);
      assert.deepEqual(filled, want);
      assert.equal(JSON.stringify(given), before, 'the given object is not changed');
      assert.equal(applyDefaults(objectSchema(type), filled), filled, 'a complete object comes back as it is');
    });
  }
});

test('every type can be walked, those that hold themselves too', () => {
  for (const name of typeNames()) {
    const schema = typeSchema(name);
    if (schema.type === 'object') assert.doesNotThrow(() => applyDefaults(schema, {}));
  }
});
