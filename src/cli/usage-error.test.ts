import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommanderError } from 'commander';
import { usageError } from './usage-error.ts';

const rows = [
  {
    name: 'a near command is offered',
    given: "error: unknown command 'strt'\n(Did you mean status?)",
    want: { message: "unknown command 'strt'", fix: 'did you mean status? `timonier help` says what there is' },
  },
  {
    name: 'never one that installs something',
    given: "error: unknown command 'tst'\n(Did you mean test?)",
    want: { message: "unknown command 'tst'", fix: '`timonier help` says what there is' },
  },
  {
    name: 'never an option that installs something, but the other one',
    command: 'up',
    given: "error: unknown option '--instll'\n(Did you mean one of --install, --instant?)",
    want: { message: "unknown option '--instll'", fix: 'did you mean --instant? `timonier up --help` says what there is' },
  },
  {
    name: 'what is missing',
    command: 'image',
    given: "error: missing required argument 'FILE'",
    want: { message: "missing required argument 'FILE'", fix: '`timonier image --help` says what there is' },
  },
];

for (const { name, given, command, want } of rows) {
  test(`errors of use: ${name}`, () => {
    const { message, fix } = usageError(new CommanderError(1, 'commander.x', given), command);
    assert.deepEqual({ message, fix }, want);
  });
}
