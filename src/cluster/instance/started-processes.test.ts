import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from './started-processes.ts';

const words = ['node', '/x/cli/main.ts', 'run', 'a', '--kept', '--timeout', '9', '--data-dir', '/d', '--kubeconfig', '/k'];
const found = { pid: 7, name: 'a', dir: '/d', isSupervisor: false, kubeconfig: '/k' };
const rows: readonly { name: string; args: readonly string[]; want: object | undefined }[] = [
  { name: 'a process of `up`', args: words, want: found },
  { name: 'started again', args: [...words, '--again', ''], want: found },
  { name: 'its supervisor', args: ['sh', '/x/cli/supervise.sh', '/d', ...words], want: { ...found, isSupervisor: true } },
  { name: 'in the foreground', args: ['node', '/x/cli/main.ts', 'run', 'a', '--data-dir', '/d'], want: undefined },
  { name: 'another program', args: ['vim', '/d/settings.json'], want: undefined },
  { name: 'gone', args: [''], want: undefined },
];
for (const { name, args, want } of rows) test(`a command line: ${name}`, () => assert.deepEqual(parseCommandLine(7, args), want));
