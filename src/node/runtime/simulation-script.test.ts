import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answerProbe, planExec, planSimulation, type SimulationScript } from './simulation-script.ts';

const main = { name: 'main', runsToCompletion: false };
const job = { name: 'main', runsToCompletion: true };
const sleeping = { ...main, command: ['sh', '-c', 'echo hi; sleep 5; exit 3'] };
const paused = { ...job, image: 'registry.k8s.io/pause:3.10' };

describe('planSimulation', () => {
  const table: {
    name: string;
    given: Record<string, string>;
    of?: Parameters<typeof planSimulation>[1];
    want: { readonly [Key in keyof SimulationScript]?: SimulationScript[Key] | undefined };
  }[] = [
    { name: 'nothing said: up for ever', given: {}, want: { startDelayMs: 100, runForMs: undefined, exitCode: 0, stopAfterMs: 0 } },
    { name: 'expected to end: after a second', given: {}, of: job, want: { runForMs: 1000, exitCode: 0, exitReason: 'Completed' } },
    { name: 'run-for', given: { 'run-for': '1m30s' }, want: { runForMs: 90_000 } },
    { name: 'for ever even when expected to end', given: { 'run-for': 'forever' }, of: job, want: { runForMs: undefined } },
    { name: 'an exit code alone ends it', given: { 'exit-code': '2' }, want: { runForMs: 1000, exitCode: 2, exitReason: 'Error' } },
    { name: 'a reason', given: { 'exit-code': '137', 'exit-reason': 'OOMKilled' }, want: { exitReason: 'OOMKilled' } },
    { name: 'a command line', given: {}, of: sleeping, want: { runForMs: 5100, exitCode: 3, exitReason: 'Error', log: 'hi' } },
    { name: 'words win over the command line', given: { 'run-for': '1s', log: 'ho' }, of: sleeping, want: { runForMs: 1000, log: 'ho' } },
    { name: 'an exit code wins too', given: { 'exit-code': '0' }, of: sleeping, want: { runForMs: 1000, exitCode: 0 } },
    { name: 'a pause is for ever', given: {}, of: paused, want: { runForMs: undefined } },
    { name: 'one container only', given: { 'run-for.other': '5s', 'run-for': '2s' }, want: { runForMs: 2000 } },
    { name: 'the container wins over the pod', given: { 'run-for.main': '5s', 'run-for': '2s' }, want: { runForMs: 5000 } },
    {
      name: 'what can not be read is not there',
      given: { 'run-for': 'soon', 'exit-code': 'x' },
      of: job,
      want: { runForMs: 1000, exitCode: 0 },
    },
    {
      name: 'start and stop',
      given: { 'start-delay': '0', 'start-error': 'no', 'stop-after': '2s' },
      want: { startDelayMs: 0, startError: 'no', stopAfterMs: 2000 },
    },
  ];
  for (const { name, given, of = main, want } of table)
    it(name, () => {
      const annotations = Object.fromEntries(Object.entries(given).map(([word, value]) => [`timonier.dev/${word}`, value]));
      const script = planSimulation(annotations, of);
      const asked = Object.keys(want) as (keyof SimulationScript)[];
      assert.deepEqual(Object.fromEntries(asked.map((key) => [key, script[key]])), want);
    });
});

describe('planExec', () => {
  const table: { command: string[]; given?: Record<string, string>; want: string }[] = [
    { command: ['true'], want: '100 0' },
    { command: ['sh', '-c', 'echo hi; sleep 2; exit 3'], want: '2100 3 hi|' },
    { command: ['sleep', 'infinity'], want: 'Infinity 0' },
    { command: ['cat'], want: 'cat 0 0' },
    { command: ['ls', '-l'], want: '0 126  this container is simulated: ls -l was not run|' },
    { command: ['test', '-f', 'x'], want: '0 126  this container is simulated: test -f x was not run|' },
    { command: ['sh', '-c', 'test -f x'], want: '0 126  this container is simulated: sh -c test -f x was not run|' },
    { command: ['tar', 'cf', '-', '/etc'], want: '0 1  this container is simulated: it has no files to copy|' },
    { command: ['ls', '-l'], given: { 'exec-output': 'total 0' }, want: '0 0 total 0' },
    { command: ['ls', '-l'], given: { 'exec-exit-code': '2' }, want: '0 2' },
    { command: ['echo', 'hi'], given: { 'exec-exit-code.main': '2', 'exec-output.main': 'ho' }, want: '100 2 ho' },
    { command: ['false'], given: { 'exec-exit-code': '0' }, want: '100 0' },
  ];
  for (const { command, given = {}, want } of table)
    it(`${command.join(' ')} ${JSON.stringify(given)}`, () => {
      const annotations = Object.fromEntries(Object.entries(given).map(([word, value]) => [`timonier.dev/${word}`, value]));
      const { isCat, runForMs, exitCode, stdout, stderr } = planExec(annotations, 'main', command);
      assert.equal(`${isCat ? 'cat ' : ''}${runForMs} ${exitCode} ${stdout} ${stderr}`.replaceAll('\n', '|').trim(), want);
    });
});

describe('answerProbe', () => {
  const table: { rules: string | undefined; word?: string; atMs: number; want: boolean }[] = [
    { rules: undefined, atMs: 0, want: true },
    { rules: 'pass', atMs: 0, want: true },
    { rules: 'fail', atMs: 1e6, want: false },
    { rules: 'fail-after=10s', atMs: 9999, want: true },
    { rules: 'fail-after=10s', atMs: 10_000, want: false },
    { rules: 'pass-after=5s', atMs: 4999, want: false },
    { rules: 'pass-after=5s,fail-after=1m', atMs: 5000, want: true },
    { rules: 'pass-after=5s,fail-after=1m', atMs: 60_000, want: false },
    { rules: 'fail', word: 'probe-liveness', atMs: 0, want: true },
    { rules: 'fail', word: 'probe-readiness', atMs: 0, want: false },
    { rules: 'fail', word: 'probe.other', atMs: 0, want: true },
    { rules: 'fail', word: 'probe-readiness.main', atMs: 0, want: false },
  ];
  for (const { rules, word = 'probe', atMs, want } of table)
    it(`${word}: ${rules} at ${atMs} ms`, () => {
      const annotations = rules === undefined ? {} : { [`timonier.dev/${word}`]: rules };
      assert.equal(answerProbe(annotations, 'main', { type: 'readiness', sinceStartMs: atMs }).success, want);
    });
});
