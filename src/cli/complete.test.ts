import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Completion, complete } from './complete.ts';
import { createProgram } from './program.ts';

const known = { clusters: ['default', 'mine'] };
const wordsOf = (completion: Completion): readonly string[] | string =>
  completion.kind === 'words' ? completion.candidates.map(({ word }) => word) : completion.kind;

const rows: readonly { readonly name: string; readonly typed: readonly string[]; readonly want: readonly string[] | string }[] = [
  { name: 'commands by their beginning', typed: ['de'], want: ['delete'] },
  { name: 'a command within a group', typed: ['image', 'lo'], want: ['load'] },
  { name: 'options once there is a -', typed: ['status', '--'], want: ['--json', '--help'] },
  { name: 'the names of clusters', typed: ['down', ''], want: ['default', 'mine'] },
  { name: 'a name by its beginning, after options', typed: ['up', '--nodes', '2', 'm'], want: ['mine'] },
  { name: 'a second name: none', typed: ['down', 'mine', ''], want: [] },
  { name: 'choices of an option', typed: ['up', '--log-level', 'd'], want: ['debug'] },
  { name: 'the same after =', typed: ['up', '--log-level=d'], want: ['--log-level=debug'] },
  { name: 'as bash takes it apart', typed: ['up', '--log-level', '=', 'd'], want: ['--log-level=debug'] },
  { name: 'files for an option', typed: ['up', '--config', ''], want: 'files' },
  { name: 'directories for an option', typed: ['up', '--data-dir', ''], want: 'dirs' },
  { name: 'nothing for a number', typed: ['up', '--port', ''], want: [] },
  { name: 'files for arguments, each of many', typed: ['image', 'load', 'a.tar', ''], want: 'files' },
  { name: 'shells', typed: ['completion', ''], want: ['bash', 'zsh', 'fish'] },
  { name: 'nothing below a word that is no command', typed: ['nope', ''], want: [] },
];

for (const { name, typed, want } of rows) {
  test(`completion: ${name}`, () => assert.deepEqual(wordsOf(complete(createProgram(), typed, known)), want));
}

test('completion: kubectl is asked for its own words', () => {
  assert.deepEqual(complete(createProgram(), ['kubectl', '--cluster-name', 'mine', 'get', 'po'], known), {
    kind: 'kubectl',
    words: ['get', 'po'],
    cluster: 'mine',
  });
});
