/**
 * What README and documents say of the program beside their blocks, held against it: the commands and flags that they
 * name, the places that they lead to, the numbers of the ledger.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';
import { describe, it } from 'node:test';
import type { Command } from 'commander';
import { inOurWords } from '../../src/cli/peer-words.ts';
import { createProgram } from '../../src/cli/program.ts';
import { isBesideConformance, isConformance, readLedger } from '../conformance/ledger.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const documents = globSync('{*.md,docs/*.md}', { cwd: root }).sort();
const program = createProgram();

/** Of code between backquotes, and of lines of blocks: what a shell would be given, as words. */
function commandsIn(text: string): readonly string[][] {
  const blocks = [...text.matchAll(/^```\w*[^\n]*\n([\s\S]*?)^```$/gm)].flatMap(([, body = '']) => body.split('\n'));
  const spans = [...text.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
  return [...blocks, ...spans].flatMap((line) =>
    line
      .replace(/^\$ /, '')
      .replace(/\s#.*$/, '')
      .split(/\s*(?:&&|\|\||[;|&>]|\$\(|<\()\s*/)
      .filter((part) => /^(?:\.\/)?timonier \S/.test(part))
      .map((part) =>
        part
          .trim()
          .split(/[\s)]+/)
          .slice(1),
      ),
  );
}

/** What is wrong with it; undefined: the program takes it. `COMMAND` and `…` stand for anything. */
function problemOf(written: readonly string[]): string | undefined {
  const { words } = inOurWords(written, () => false);
  let command: Command = program;
  for (const [i, word] of words.entries()) {
    if (word === '--' || word.startsWith('…') || /^[A-Z…[]/.test(word)) return undefined;
    const next = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (next) command = next;
    else if (command.commands.length > 0) return word === 'node' && i === 0 ? undefined : `no command "${words.slice(0, i + 1).join(' ')}"`;
    else if (!word.startsWith('-')) {
      if (passesOn.has(command.name())) return undefined; // the rest is another program's
    } else if (!command.options.some(({ long, short }) => [long, short].includes(word.split('=')[0])) && word !== '--help')
      return `${command.name()} has no ${word}`;
  }
  return undefined;
}

const passesOn: ReadonlySet<string> = new Set(['ci', 'kubectl']);

describe('the documents', () => {
  for (const path of documents)
    it(`${path} names commands and flags that there are`, () => {
      const problems = commandsIn(read(path)).flatMap((words) => problemOf(words) ?? []);
      assert.deepEqual(problems, []);
    });

  it('a command that is not there is seen', () => {
    const text = 'Type `timonier fly`, `timonier up --nods 2`, `timonier create cluster --name x`, or\n```\n$ timonier image eat x\n```\n';
    assert.deepEqual(
      commandsIn(text).map((words) => problemOf(words)),
      ['no command "image eat"', 'no command "fly"', 'up has no --nods', undefined],
    );
  });

  it('the README has all commands in its table', () => {
    const rows = [...read('README.md').matchAll(/^\| (`.*`) \| .* \|$/gm)].map(([, cell = '']) => cell);
    const named = new Set(rows.flatMap((cell) => cell.match(/[a-z]+/g) ?? []));
    const beside = new Set(['help', 'man', 'completion', 'test']); // said below and above it
    const all = program
      .createHelp()
      .visibleCommands(program)
      .map((command) => command.name());
    assert.deepEqual(
      all.filter((name) => !named.has(name) && !beside.has(name)),
      [],
    );
  });

  for (const path of documents)
    it(`${path} leads to places that there are`, () => {
      const links = [...read(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = '']) => to).filter((to) => !/^https?:/.test(to));
      assert.deepEqual(
        links.filter((to) => !isThere(path, to)),
        [],
      );
    });

  it('the README has the numbers of the ledger', () => {
    const verdicts = Object.entries(readLedger(join(root, 'test/conformance/ledger.json')));
    const passing = (isOne: (name: string) => boolean): string => {
      const all = verdicts.filter(([name]) => isOne(name));
      return `${all.filter(([, { real }]) => real === 'passes').length} of`;
    };
    const said = /(\d+ of) its (\d+) tests pass on real containers, and (\d+ of) the (\d+) /.exec(read('README.md'))?.slice(1);
    assert.deepEqual(said, [passing(isConformance), '446', passing(isBesideConformance), '412']);
  });
});

function isThere(from: string, to: string): boolean {
  const [file = '', anchor] = to.split('#');
  const path = file === '' ? from : normalize(join(dirname(from), file));
  if (!existsSync(join(root, path))) return false;
  return anchor === undefined || anchorsOf(read(path)).includes(anchor);
}

/** As GitHub makes them of headings. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
