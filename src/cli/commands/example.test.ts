import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { staticBusybox } from '../../cluster/images/bakery-image.ts';
import { addExample, nextCommands } from './example.ts';

describe('an example', () => {
  const rows: readonly { name: string; given: Parameters<typeof nextCommands>[0]; want: readonly string[]; said?: readonly string[] }[] = [
    {
      name: 'on real nodes',
      given: { dir: 'bakery', clusterName: 'default', nodes: 1, others: [] },
      want: [
        'apply -f bakery',
        '-n bakery rollout status deployment/front',
        '-n bakery exec deployment/front -c front -- wget -qO- http://front',
      ].map((words) => `  timonier kubectl ${words}`),
    },
    {
      name: 'on simulated ones, of another cluster',
      given: { dir: 'b', clusterName: 'far', nodes: 0, others: [] },
      want: ['apply -f b', '-n bakery rollout status deployment/front', '-n bakery get pods,jobs,services -o wide'].map(
        (words) => `  timonier kubectl --cluster-name far ${words}`,
      ),
    },
    {
      name: 'without a cluster',
      given: { dir: 'bakery', clusterName: 'far', nodes: undefined, others: [] },
      want: ['  timonier up far', '  timonier example bakery bakery --cluster-name far'],
      said: ['No cluster "far" runs: start it, then say this again.'],
    },
    {
      name: 'while others run',
      given: { dir: 'bakery', clusterName: 'default', nodes: undefined, others: ['near', 'far'] },
      want: ['near', 'far'].map((name) => `  timonier example bakery bakery --cluster-name ${name}`),
      said: ['No cluster "default" runs; for one that does:'],
    },
  ];
  for (const { name, given, want, said = [] } of rows)
    it(`says what is next ${name}`, () => assert.deepEqual(nextCommands(given), [...said, '', ...want]));

  it('is put into a directory, and does not take what is there', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'timonier-example-'));
    const put = async (...words: string[]): Promise<void> => {
      const program = new Command().exitOverride();
      addExample(program);
      await program.parseAsync(['example', ...words, '--cluster-name', 'no-such-cluster'], { from: 'user' });
    };
    try {
      await put('bakery', join(dir, 'b'));
      assert.deepEqual(readdirSync(join(dir, 'b')), [
        '00-namespace.yaml',
        '10-config.yaml',
        '20-front.yaml',
        '30-oven.yaml',
        '40-delivery.yaml',
      ]);
      await put('bakery', join(dir, 'b')); // again, for its images
      writeFileSync(join(dir, 'b', '20-front.yaml'), 'mine');
      await assert.rejects(put('bakery', join(dir, 'b')), { code: 'file-exists' });
      await assert.rejects(put('brewery'), { code: 'no-such-example', fix: 'there is: bakery' });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('is made of a busybox that needs no library', () => {
    const dir = mkdtempSync(join(tmpdir(), 'timonier-busybox-'));
    const file = (name: string, content: Buffer): string => {
      writeFileSync(join(dir, name), content);
      return join(dir, name);
    };
    try {
      const [needsLibraries, needsNone] = [3, 1].map((type) => program(type)) as [Buffer, Buffer];
      const places = [
        join(dir, 'none'),
        file('shared', needsLibraries),
        file('script', Buffer.from('#!/bin/sh')),
        file('static', needsNone),
      ];
      assert.deepEqual(staticBusybox(places), needsNone);
      assert.throws(() => staticBusybox(places.slice(0, 3)), { code: 'no-busybox' });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

/** The head of a 64-bit program with one entry of that type. */
function program(type: number): Buffer {
  const head = Buffer.alloc(64 + 56);
  head.write('\x7fELF\x02\x01', 'latin1');
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(type, 64);
  return head;
}
