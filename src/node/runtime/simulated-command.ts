/**
 * What a simulated container's command line says about its life, where it can be told without running anything:
 * `sleep 300`, `true`, `false`, `exit 2`, `echo done`, alone or as the list of a shell (`sh -c "echo hi; sleep 5"`);
 * and the image `pause`, which never ends. Anything else says nothing: no guess is made.
 */
import { own } from '../../api/meta/words.ts';
import { imageRepository } from './image-name.ts';

export interface CommandLine {
  readonly image?: string | undefined;
  readonly command?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
}

export interface CommandLife {
  /** how long it runs */
  readonly runForMs: number | 'forever';
  readonly exitCode: number;
  /** what it prints, a line each */
  readonly output: string;
}

/** A command that only starts and ends takes as long. */
const momentMs = 100;
const unitMs: Readonly<Record<string, number>> = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const shells = /^(\/(usr\/)?bin\/)?(ba|da|a)?sh$/;
/** what a shell would expand, redirect, run beside or ask first */
const special = /[$`*?~<>(){}|\\#!]|(?<!&)&(?!&)|\[/;

export function readCommandLine({ image = '', command = [], args = [] }: CommandLine): CommandLife | undefined {
  if (command.length === 0) return imageRepository(image).endsWith('/pause') ? { runForMs: 'forever', exitCode: 0, output: '' } : undefined;
  const [program = '', ...rest] = [...command, ...args];
  if (!shells.test(program)) return lifeOf([[program, ...rest]]);
  const [option, script, ...more] = rest;
  if (option !== '-c' || script === undefined || more.length > 0 || special.test(script)) return undefined;
  const statements = script
    .split(/;|&&|\n/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
  return statements.some((statement) => /["']/.test(statement.replace(/"[^"]*"|'[^']*'/g, '')))
    ? undefined
    : lifeOf(statements.map(wordsOf));
}

const wordsOf = (statement: string): string[] =>
  [...statement.matchAll(/(?:"[^"]*"|'[^']*'|\S)+/g)].map(([word]) => word.replace(/["']/g, ''));

function lifeOf(statements: readonly (readonly string[])[]): CommandLife | undefined {
  let runForMs = 0;
  let exitCode = 0;
  const lines: string[] = [];
  for (const [program = '', ...args] of statements) {
    const [first = ''] = args;
    const name = program.replace(/^\/(usr\/)?bin\//, '');
    if (name === 'sleep') {
      const durationMs = args.length === 1 ? parseSleep(first) : undefined;
      if (durationMs === undefined) return undefined;
      if (durationMs === Number.POSITIVE_INFINITY) return { runForMs: 'forever', exitCode, output: lines.join('\n') };
      runForMs += durationMs;
    } else if (name === 'exit') {
      if (!/^\d{0,3}$/.test(first)) return undefined;
      return { runForMs: runForMs + momentMs, exitCode: first === '' ? exitCode : Number(first) & 255, output: lines.join('\n') };
    } else if (name === 'echo') lines.push(args.join(' '));
    else if (name !== 'true' && name !== 'false') return undefined;
    exitCode = name === 'false' ? 1 : 0;
  }
  return statements.length === 0 ? undefined : { runForMs: runForMs + momentMs, exitCode, output: lines.join('\n') };
}

function parseSleep(text: string): number | undefined {
  if (text === 'infinity' || text === 'inf') return Number.POSITIVE_INFINITY;
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) * (own(unitMs, unit) ?? 0);
}
