/** Options that are wrong are refused before anything is started; a start that is given up says where it was. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { Pod } from '../api/generated/kinds.ts';
import { seededRandom } from '../client/clock.ts';
import { silentLog } from '../client/log.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import type { StartOptions } from './cluster.ts';
import { OperationError } from './operation-error.ts';
import { startCluster } from './start-cluster.ts';
import { checkStartOptions } from './start-options.ts';

const wrong: readonly { name: string; given: unknown; want: RegExp; fix?: RegExp }[] = [
  {
    name: 'a name mistyped',
    given: { simulatd: 5 },
    want: /^startCluster: unknown option "simulatd"$/,
    fix: /^did you mean simulated\? the options are: nodes, /,
  },
  { name: 'a name in another case', given: { datadir: '/x' }, want: /unknown option "datadir"$/, fix: /^did you mean dataDir\?/ },
  { name: 'a name that is far', given: { replicas: 5 }, want: /unknown option "replicas"$/, fix: /^the options are: / },
  { name: 'a name every object knows', given: { toString: 1 }, want: /unknown option "toString"$/ },
  { name: 'all that is wrong', given: { holow: 1, port: -1 }, want: /unknown option "holow"; port: -1 is not a port number$/ },
  { name: 'fewer than no nodes', given: { nodes: -1 }, want: /^startCluster: nodes: -1 is not a whole number from 0 to 50$/ },
  { name: 'half a node', given: { simulated: 1.5 }, want: /simulated: 1.5 is not a whole number/ },
  { name: 'no number of nodes', given: { simulated: Number.NaN }, want: /simulated: NaN is not a whole number/ },
  { name: 'a number as text', given: { port: '6443' }, want: /port: "6443" is not a port number$/ },
  { name: 'null', given: { port: null }, want: /port: null is not a port number$/ },
  { name: 'no time', given: { timeoutMs: 0 }, want: /timeoutMs: 0 is not a number of milliseconds, more than 0 and at most 2147483647$/ },
  { name: 'less than no time', given: { timeoutMs: -5 }, want: /timeoutMs: -5 is not/ },
  { name: 'for ever', given: { timeoutMs: Number.POSITIVE_INFINITY }, want: /timeoutMs: Infinity is not/ },
  { name: 'an empty directory', given: { dataDir: '' }, want: /dataDir: "" is not the path of a directory$/ },
  { name: 'a directory that is a URL', given: { dataDir: new URL('file:///x') }, want: /dataDir: URL .* is not the path of a directory$/ },
  { name: 'a name that is none', given: { name: 5 }, want: /name: 5 is not a name$/ },
  { name: 'a clock that is a time', given: { clock: 0 }, want: /clock: 0 is not a clock: realClock, or a VirtualClock$/ },
  { name: 'a clock that can’t wait', given: { clock: Date }, want: /clock: \[Function: Date\] is not a clock/ },
  { name: 'chance by Math', given: { random: Math }, want: /random: .* is not a source of chance/ },
  { name: 'the console as log', given: { log: console }, want: /log: .* is not a log/ },
  {
    name: 'a component that is none',
    given: { components: ['api-server', 'etcd'] },
    want: /components: \[ 'api-server', 'etcd' \] is not a list of some of: api-server, /,
  },
  ...Object.entries({
    dataDir: '/x',
    port: 0,
    host: '127.0.0.1',
    auditPolicyFile: '/x',
    auditLogMaxage: 1,
    runtimeConfig: {},
    store: 'etcd',
  }).map(([name, value]) => ({
    name: `${name} where there is no API server`,
    given: { components: ['scheduler'], access: { server: 'https://127.0.0.1:1' }, [name]: value },
    want: new RegExp(`^${name} is for the API server, which runs elsewhere`),
  })),
  { name: 'no component', given: { components: [] }, want: /components: \[\] is not a list/ },
  {
    name: 'a signal that is its controller',
    given: { signal: new AbortController() },
    want: /signal: AbortController .* is not an AbortSignal$/,
  },
  { name: 'no server to go to', given: { access: {} }, want: /access: \{\} is not an object with the server’s address/ },
  { name: 'a listener that is none', given: { onPhase: 'x' }, want: /onPhase: "x" is not a function$/ },
  { name: 'no options', given: null, want: /^startCluster takes an object of options$/ },
  { name: 'a name instead of options', given: 'mine', want: /^startCluster takes an object of options$/ },
];

describe('options that are wrong', () => {
  for (const { name, given, want, fix } of wrong) {
    it(name, async () => {
      const error = await startCluster(given as StartOptions).then(
        () => assert.fail('it started'),
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof OperationError);
      assert.equal(error.code, 'bad-config');
      assert.match(error.message, want);
      if (fix) assert.match(error.fix ?? '', fix);
    });
  }
  it('a cluster’s name that is none', () => assert.rejects(startCluster({ name: 'My Cluster' }), { code: 'bad-name' }));
  it('real nodes in virtual time', () =>
    assert.rejects(startCluster({ dataDir: import.meta.dirname, nodes: 1, clock: new VirtualClock() }), {
      code: 'bad-config',
      message: 'real nodes live in real time',
    }));
});

it('options that fit pass; undefined ones are as if they were not there', () => {
  const clock = new VirtualClock();
  const given = {
    simulated: 2,
    clock,
    random: seededRandom(1),
    log: silentLog,
    signal: AbortSignal.abort(),
    timeoutMs: 0.5,
  };
  assert.deepEqual(checkStartOptions({ ...given, port: undefined, access: undefined }), given);
});

describe('the directory of a cluster', () => {
  const place = mkdtempSync(join(tmpdir(), 'timonier-options-'));
  after(() => rmSync(place, { recursive: true }));
  const small: StartOptions = { components: ['api-server'] };

  it('is made, its owner’s alone, and the ones above it', async () => {
    const dataDir = join(place, 'new', 'cluster');
    await using _ = await startCluster({ ...small, dataDir });
    assert.equal(statSync(dataDir).mode & 0o777, 0o700);
  });
  it('stays as it is when it is there', async () => {
    const dataDir = join(place, 'there');
    mkdirSync(dataDir, { mode: 0o755 });
    await using _ = await startCluster({ ...small, dataDir });
    assert.equal(statSync(dataDir).mode & 0o777, 0o755);
  });
  const file = join(place, 'file');
  for (const [name, dataDir] of [
    ['a file', file],
    ['below a file', join(file, 'x')],
    ['where nothing can be made', '/proc/timonier'],
  ] as const) {
    it(`is refused: ${name}`, async () => {
      writeFileSync(file, 'mine');
      await assert.rejects(startCluster({ ...small, dataDir }), (error) => {
        assert.ok(error instanceof OperationError);
        assert.deepEqual([error.code, error.message], ['bad-data-dir', `can't keep the cluster in ${dataDir}`]);
        assert.match(error.fix ?? '', /^give a directory that you may write to, or leave dataDir out/);
        return true;
      });
      assert.equal(readFileSync(file, 'utf8'), 'mine');
    });
  }
  it('brings no real node, whoever runs it', { timeout: 60_000 }, async () => {
    const dataDir = join(place, 'nodes');
    for (const [simulated, want] of [
      [2, 2],
      [undefined, 1],
    ] as const) {
      await using cluster = await startCluster({ dataDir, ...(simulated && { simulated }) });
      assert.deepEqual([cluster.nodes, cluster.simulated], [0, want]);
    }
  });
});

it('a listener that throws ends the start, and not as a fault of a phase', async () => {
  const cause = new Error('mine');
  const onPhase = (): never => {
    throw cause;
  };
  await assert.rejects(startCluster({ components: ['api-server'], onPhase }), (error) => {
    assert.ok(error instanceof OperationError);
    assert.deepEqual([error.code, error.message, error.cause], ['bad-listener', 'onPhase threw when told of "store"', cause]);
    return true;
  });
});

it('a user who is none', async () => {
  await using cluster = await startCluster({ components: ['api-server'] });
  for (const user of [
    undefined,
    null,
    {},
    'jane',
    { name: '' },
    { name: 5 },
    { name: 'jane', groups: 'bakers' },
    { name: 'jane', groups: [5] },
  ])
    assert.throws(() => cluster.clientFor(user as never), { code: 'bad-user', message: /^clientFor takes a user: / });
  await assert.rejects(cluster.clientFor({ name: 'jane', groups: ['bakers'] }).list(Pod), { code: 403 });
});

describe('a start that is given up', () => {
  const phases: string[] = [];
  const onPhase = ({ phase }: { readonly phase: string }): void => {
    phases.push(phase);
  };
  beforeEach(() => phases.splice(0));
  const rows = [
    { name: 'before anything is there', timeoutMs: 1, simulated: 0, told: '0.001' },
    { name: 'between two small phases', timeoutMs: 30, simulated: 1, told: '0.03' },
  ];
  for (const { name, timeoutMs, simulated, told } of rows) {
    it(`${name}: names the time and the phase, not the phase as what failed`, async () => {
      const message = new RegExp(`^not ready after ${told} s: the phase "[a-z-]+" was under way$`);
      await assert.rejects(startCluster({ simulated, timeoutMs, onPhase }), { code: 'timeout', message, fix: /timeoutMs/ });
      assert.ok(!phases.includes('ready'));
    });
  }
  it('by its signal throws the signal’s reason', async () => {
    const enough = new Error('enough');
    await assert.rejects(startCluster({ simulated: 0, signal: AbortSignal.abort(enough) }), (error) => error === enough);
    await assert.rejects(startCluster({ simulated: 1, signal: AbortSignal.timeout(30), onPhase }), { name: 'TimeoutError' });
    assert.ok(!phases.includes('ready'));
  });
  it('while nodes register has no more of them', async () => {
    const enough = new AbortController();
    const onScheduler = (report: { readonly phase: string }): void => {
      onPhase(report);
      if (report.phase === 'scheduler') setTimeout(() => enough.abort(new Error('enough')), 1);
    };
    await assert.rejects(startCluster({ simulated: 500, signal: enough.signal, onPhase: onScheduler }), { message: 'enough' });
    assert.equal(phases.at(-1), 'scheduler');
  });
});
