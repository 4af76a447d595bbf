import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import { createProgram } from './program.ts';

const withSubcommands = (command: Command): Command[] => [command, ...command.commands.flatMap(withSubcommands)];

for (const width of [60, 80, 120]) {
  test(`help fits into ${width} columns`, () => {
    for (const command of withSubcommands(createProgram())) {
      const helper = Object.assign(command.createHelp(), { helpWidth: width });
      const long = command
        .createHelp()
        .formatHelp(command, helper)
        .split('\n')
        .filter((line) => line.length > width);
      assert.deepEqual(long, [], command.name());
    }
  });
}

test('every command that takes the name of a cluster knows the one that the environment says', () => {
  process.env['TIMONIER_CLUSTER'] = 'far';
  try {
    const commands = withSubcommands(createProgram());
    const names = commands.flatMap((command) => [
      ...command.registeredArguments.filter((argument) => argument.name() === 'NAME' && !argument.variadic),
      ...command.options.filter((option) => /^--(cluster-)?name$/.test(option.long ?? '')),
    ]);
    assert.ok(names.length > 10);
    for (const { defaultValue, description } of names) assert.equal(defaultValue, 'far', description);
  } finally {
    delete process.env['TIMONIER_CLUSTER'];
  }
});
