import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContainerStatus, PodStatus } from '../../../api/generated/core-v1.ts';
import { ContainerTerminations } from './container-terminations.ts';

const status = (name: string, exitCode?: number, reason = 'Error'): ContainerStatus =>
  ({ name, state: exitCode === undefined ? { running: {} } : { terminated: { exitCode, reason } } }) as unknown as ContainerStatus;
const pod = (...containerStatuses: ContainerStatus[]): PodStatus => ({ containerStatuses }) as PodStatus;

describe('terminated containers', () => {
  const rows: readonly { readonly name: string; readonly given: readonly PodStatus[]; readonly want: readonly string[] }[] = [
    { name: 'one that runs', given: [pod(), pod(status('a'))], want: [] },
    { name: 'one that ends', given: [pod(status('a')), pod(status('a', 139))], want: ['container 139 Error 1'] },
    {
      name: 'one that had ended when it was first seen',
      given: [pod(), pod(status('a', 0, 'Completed'))],
      want: ['container 0 Completed 1'],
    },
    { name: 'one that is told of again', given: [pod(status('a', 1)), pod(status('a', 1))], want: [] },
    {
      name: 'one that ends, runs and ends',
      given: [pod(status('a')), pod(status('a', 1)), pod(status('a')), pod(status('a', 1))],
      want: ['container 1 Error 2'],
    },
    {
      name: 'two that end otherwise',
      given: [pod(status('a'), status('b')), pod(status('a', 1), status('b', 137, 'OOMKilled'))],
      want: ['container 1 Error 1', 'container 137 OOMKilled 1'],
    },
    {
      name: 'the other kinds',
      given: [
        pod(),
        { initContainerStatuses: [status('i', 0, 'Completed')], ephemeralContainerStatuses: [status('e', 2)] } as unknown as PodStatus,
      ],
      want: ['init_container 0 Completed 1', 'ephemeral_container 2 Error 1'],
    },
  ];
  for (const { name, given, want } of rows) {
    it(name, () => {
      const terminations = new ContainerTerminations();
      for (const [i, after] of given.entries()) {
        const before = given[i - 1];
        if (before) terminations.observe(before, after);
      }
      assert.deepEqual(
        terminations.all().map(({ labels, count }) => [...Object.values(labels), count].join(' ')),
        want,
      );
    });
  }

  it('the number of labels is bounded', () => {
    const terminations = new ContainerTerminations();
    for (let code = 0; code < 2000; code++) terminations.observe(pod(), pod(status('a', code)));
    terminations.observe(pod(), pod(status('a', 1)));
    assert.equal(terminations.all().length, 1000);
    assert.equal(terminations.all()[1]?.count, 2);
  });
});
