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
