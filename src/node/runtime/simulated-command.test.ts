import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CommandLine, readCommandLine } from './simulated-command.ts';

const shell = (script: string): CommandLine => ({ image: 'busybox', command: ['/bin/sh', '-c'], args: [script] });

const table: readonly { readonly name: string; readonly given: CommandLine; readonly want: string | undefined }[] = [
  { name: 'an image says nothing', given: { image: 'nginx:1' }, want: undefined },
  { name: 'but pause does', given: { image: 'registry.k8s.io/pause:3.10' }, want: 'forever 0' },
  { name: 'pause with another command', given: { image: 'r.io/pause', command: ['/serve'] }, want: undefined },
  { name: 'arguments of an unknown entrypoint', given: { image: 'busybox', args: ['sleep', '5'] }, want: undefined },
  { name: 'sleep', given: { command: ['sleep', '300'] }, want: '300100 0' },
  { name: 'sleep with a unit', given: { command: ['/bin/sleep'], args: ['1.5m'] }, want: '90100 0' },
  { name: 'sleep for ever', given: { command: ['sleep', 'infinity'] }, want: 'forever 0' },
  { name: 'sleep for how long?', given: { command: ['sleep', 'soon'] }, want: undefined },
  { name: 'false', given: { command: ['false'] }, want: '100 1' },
  { name: 'exit', given: shell('exit 42'), want: '100 42' },
  { name: 'a list', given: shell('echo "one  two"; echo three && sleep 2; false'), want: '2100 1 one  two|three' },
  { name: 'nothing after exit counts', given: shell('exit 1; sleep 5'), want: '100 1' },
  { name: 'exit after false', given: shell('false; exit'), want: '100 1' },
  { name: 'an unknown program in a list', given: shell('sleep 1; curl x'), want: undefined },
  { name: 'what a shell would expand', given: shell('exit $(( $RANDOM / 16384 ))'), want: undefined },
  { name: 'in the background', given: shell('sleep 1 & echo x'), want: undefined },
  { name: 'an open quote', given: shell("echo 'x; sleep 3"), want: undefined },
  { name: 'nothing', given: shell(' '), want: undefined },
];

for (const { name, given, want } of table) {
  test(`a command line: ${name}`, () => {
    const life = readCommandLine(given);
    const text = life && `${life.runForMs} ${life.exitCode} ${life.output.replaceAll('\n', '|')}`.trim();
    assert.equal(text, want);
  });
}
