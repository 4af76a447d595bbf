import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { StoreTooNewError } from '../../control-plane/store/storage.ts';
import { describeError, OperationError } from '../operation-error.ts';
import { createPhaseRunner } from '../phase-runner.ts';
import { explainFailure } from './explain-failure.ts';

const failed = (code: string, more: object = {}): Error => Object.assign(new Error(`${code}: it failed`), { code, ...more });
const inUse = failed('EADDRINUSE', { syscall: 'listen', address: '127.0.0.1', port: 6443 });

const rows: readonly { readonly name: string; readonly error: unknown; readonly owner?: string; readonly want: string | undefined }[] = [
  { name: 'a port of a cluster', error: inUse, owner: 'cluster "default"', want: 'port 6443 is taken by cluster "default"' },
  { name: 'a port of a process', error: inUse, owner: 'process 812, k3s', want: 'port 6443 is taken by process 812, k3s' },
  { name: 'a port of nobody knows whom', error: inUse, want: 'port 6443 is taken' },
  { name: 'further down', error: new Error('outer', { cause: inUse }), want: 'port 6443 is taken' },
  {
    name: 'an address of another machine',
    error: failed('EADDRNOTAVAIL', { address: '192.0.2.7' }),
    want: '192.0.2.7 is no address of this machine',
  },
  { name: 'a name that nobody knows', error: failed('ENOTFOUND', { hostname: 'nowhere' }), want: 'no address is known for "nowhere"' },
  { name: 'a port that is root’s', error: failed('EACCES', { syscall: 'listen', port: 443 }), want: "port 443 is root's alone" },
  { name: 'a file that is somebody else’s', error: failed('EACCES', { syscall: 'open', path: '/x' }), want: 'no right to use /x' },
  { name: 'a disk that can only be read', error: failed('EROFS', { path: '/x' }), want: '/x can only be read' },
  { name: 'too many files', error: failed('EMFILE'), want: 'too many open files' },
  { name: 'a store of a later timonier', error: new StoreTooNewError('it has format 9'), want: 'it has format 9' },
  { name: 'what nobody has thought of', error: failed('EXDEV'), want: undefined },
  { name: 'no error at all', error: 'x', want: undefined },
];
for (const { name, error, owner, want } of rows)
  test(`a failure is explained: ${name}`, () => assert.equal(explainFailure(error, () => owner)?.message, want));

const phases: readonly { readonly name: string; readonly error: Error; readonly told: string; readonly fix: RegExp | undefined }[] = [
  { name: 'a known cause, in its own words alone', error: failed('EMFILE'), told: 'too many open files', fix: /ulimit/ },
  { name: 'an unknown one, without a guess', error: new Error('snapshotter'), told: 'nodes failed: snapshotter', fix: undefined },
  {
    name: 'one that says itself what to do',
    error: new OperationError({ code: 'x', message: 'no', fix: 'do' }),
    told: 'nodes failed: no',
    fix: /^do$/,
  },
];
for (const { name, error, told, fix } of phases) {
  test(`a phase that fails tells ${name}`, async () => {
    const phase = createPhaseRunner({ clock: new VirtualClock(), signal: new AbortController().signal });
    const thrown = await phase('nodes', () => Promise.reject(error)).catch((each: unknown) => each);
    assert.ok(thrown instanceof OperationError);
    assert.equal(describeError(thrown), told);
    assert.equal(thrown.cause, error); // for the log
    if (fix) assert.match(thrown.fix ?? '', fix);
    else assert.equal(thrown.fix, undefined);
  });
}
