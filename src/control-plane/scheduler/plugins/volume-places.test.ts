/** Where volumes let pods go beside their binding: exclusive claims, and zones. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isHelped, noVolumes, testFacts, verdictsOf, zone } from '../../../../test/kit/scheduler-objects.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/generated/kinds.ts';
import type { Volumes } from './plan-pod-volumes.ts';
import { volumeRestrictions } from './volume-restrictions.ts';
import { volumeZone } from './volume-zone.ts';

const claim = (name: string, mode: string): PersistentVolumeClaim =>
  ({ metadata: { name, namespace: 'default' }, spec: { accessModes: [mode], volumeName: name } }) as never;
const claims = [
  claim('own', 'ReadWriteOncePod'),
  claim('any', 'ReadWriteOnce'),
  claim('old', 'ReadWriteOnce'),
  claim('gone', 'ReadWriteOnce'),
];
const labels: Record<string, object> = {
  own: {},
  any: { [zone]: 'x__y' },
  old: { 'failure-domain.beta.kubernetes.io/zone': 'z' },
};
const volumes: Volumes = {
  ...noVolumes,
  claim: (namespace, name) => (namespace === 'default' ? claims.find(({ metadata }) => metadata.name === name) : undefined),
  volume: (name) => (labels[name] ? ({ metadata: { name, labels: labels[name] } } as PersistentVolume) : undefined),
};
const using = (...names: string[]) => ({ volumes: names.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })) });

describe('VolumeRestrictions', () => {
  const why = 'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod';
  const table = [
    { name: 'its own claim', given: using('own'), user: {}, want: { a: 'ok', b: 'ok' } },
    { name: 'a claim that a pod has, anywhere', given: using('own'), user: using('own'), want: { a: why, b: why } },
    { name: 'one that may be shared', given: using('any'), user: using('any'), want: { a: 'ok', b: 'ok' } },
    {
      name: 'one of the same name elsewhere',
      given: using('own'),
      user: { ...using('own'), namespace: 'other' },
      want: { a: 'ok', b: 'ok' },
    },
  ];
  const plugin = volumeRestrictions(volumes);
  for (const { name, given, user, want } of table) {
    it(name, () => assert.deepEqual(verdictsOf(plugin, { nodes: { a: {}, b: {} }, pods: { b: { user } } }, testFacts('pod', given)), want));
  }

  it('tries again when the pod that has it goes', () => {
    const waiting = testFacts('pod', using('own'));
    assert.equal(isHelped(plugin, waiting, { type: 'pod-removed', old: testFacts('user', using('own')) }), true);
    assert.equal(isHelped(plugin, waiting, { type: 'pod-removed', old: testFacts('user', using('any')) }), false);
  });
});

describe('VolumeZone', () => {
  const away = 'node(s) had no available volume zone';
  const nodes = { none: {}, x: { labels: { [zone]: 'x' } }, z: { labels: { [zone]: 'z' } } };
  const table = [
    { name: 'one of two zones', given: using('any'), want: { none: 'ok', x: 'ok', z: away } },
    { name: 'by the older label', given: using('old'), want: { none: 'ok', x: away, z: 'ok' } },
    { name: 'two volumes that are nowhere together', given: using('any', 'old'), want: { none: 'ok', x: away, z: away } },
    { name: 'no label', given: using('own'), want: { none: 'ok', x: 'ok', z: 'ok' } },
    { name: 'no volume', given: using('gone'), want: { none: 'ok', x: 'ok', z: 'ok' } },
  ];
  for (const { name, given, want } of table) {
    it(name, () => assert.deepEqual(verdictsOf(volumeZone(volumes), { nodes }, testFacts('pod', given)), want));
  }
});
