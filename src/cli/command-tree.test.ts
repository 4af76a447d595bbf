import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandOf } from './command-tree.ts';
import { createProgram } from './program.ts';

const rows = [
  { given: [], want: undefined },
  { given: ['up', '--foo'], want: 'up' },
  { given: ['image', 'load'], want: 'image load' },
  { given: ['image', 'load', '--foo', 'rm'], want: 'image load' },
  { given: ['image', 'lod'], want: 'image' },
  { given: ['nosuch'], want: undefined },
];
for (const { given, want } of rows)
  test(`the command of: timonier ${given.join(' ')}`, () => assert.equal(commandOf(createProgram(), given), want));
