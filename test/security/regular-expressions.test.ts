/**
 * Regular expressions of exponential or quadratic time: every pattern in the sources is put to long texts made of the
 * characters that it names, with an end that does not fit. Those that never meet text of somebody else are listed.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { createContext, Script } from 'node:vm';

const sources = join(import.meta.dirname, '../../src');
const literal =
  /(?<=[=(,:?&|![{;]\s{0,8}|\breturn\s|=>\s{0,8})\/((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])*)\/([dgimsuvy]*)/g;
/** As long as a text must be for a time that grows with its square to tell. */
const textLength = 20_000;
const tooLongMs = 40;
/** One of cubic or exponential time would not end by itself: it is ended, and told by its name. */
const stuckMs = 2000;
/** Something else may have had the processor. */
const triesMax = 5;
const suffixes = ['\0', '!', '\n', 'x', ''];

/** Only ever put to texts of ours, of the kernel or of the runtime, or to short ones. */
const known = new Set<string>([
  '/[+-].*$/', // our own version
  '/(\\d+)\\.(\\d+)\\.(\\d+)(-(?:alpha|beta|rc))?/', // versions that the runtime tells
  '/\\d+\\.\\d+\\.\\d+\\S*/',
  '/[-.]+$/', // a host name, cut to its length
  '/\\d+\\.\\d+[\\w.+~-]*/', // what a program on this machine says of its version
  '/[\\d.]+\\.\\d+$/', // an address that is known to be one
  '/([\\d.]+)(\\D+)/g', // a duration that is known to be one
  '/0+$/', // nine digits of a second
  '/(000)+$/',
  '/\\B(?=(?:\\d{3})+$)/g', // the digits of a number
]);

function patterns(): Map<string, { readonly source: string; readonly flags: string; readonly file: string }> {
  const found = new Map<string, { source: string; flags: string; file: string }>();
  for (const file of globSync('**/*.ts', { cwd: sources })) {
    if (file.endsWith('.test.ts') || file.startsWith('api/generated')) continue;
    const text = readFileSync(join(sources, file), 'utf8')
      .replace(/\/\*[\s\S]*?\*\//g, ' ')
      .replace(/^\s*\/\/.*$/gm, '');
    for (const [, source = '', flags = ''] of text.matchAll(literal)) {
      if (/[+*]|\{\d*,/.test(source)) found.set(`/${source}/${flags}`, { source, flags, file });
    }
  }
  return found;
}

/** Characters, and short runs of two of them, out of which a text may be made that almost fits. */
function pumps(source: string): string[] {
  const named = [...source.replace(/\\[dwsDWSbn]/g, '').replace(/[\^$*+?(){}|]/g, '')].filter((c) => c !== '\\');
  const characters = [...new Set([...named, 'a', 'A', '1', '0', ' ', '/', '.', '-', '=', '"', '<', '\\'])].slice(0, 40);
  const starts = [...new Set(named.filter((c) => /[<"'=./:@[\]\-\\]/.test(c)))];
  return [
    ...characters,
    ...starts.flatMap((a) => ['a', '1', ' ', ...starts].map((b) => a + b)),
    '<a "',
    '<a a="',
    ' a=',
    '-----BEGIN a-----\n',
  ];
}

const replaceAll = new Script("pattern.lastIndex = 0; text.replace(pattern, '')");
const given = createContext({});

/** Milliseconds, the least of some tries. */
function timeOf(pattern: RegExp, text: string): number {
  let least = stuckMs;
  for (let i = 0; i < triesMax; i++) {
    const startMs = performance.now();
    try {
      replaceAll.runInContext(Object.assign(given, { pattern, text }), { timeout: stuckMs });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return stuckMs;
      throw error;
    }
    least = Math.min(least, performance.now() - startMs);
    if (least < tooLongMs) break;
  }
  return least;
}

it('no pattern takes more than linear time', () => {
  const slow: string[] = [];
  const all = patterns();
  for (const [name, { source, flags, file }] of all) {
    if (known.has(name)) continue;
    const pattern = new RegExp(source, flags);
    const slowest = pumps(source)
      .flatMap((pump) =>
        suffixes.flatMap((suffix) => ['', ...source.slice(0, 2).replace(/[^<"a-z]/g, '')].map((prefix) => ({ pump, suffix, prefix }))),
      )
      .find(({ pump, suffix, prefix }) => timeOf(pattern, prefix + pump.repeat(textLength / pump.length) + suffix) > tooLongMs);
    if (slowest) slow.push(`${name} in ${file} by ${JSON.stringify(slowest)}`);
  }
  assert.ok(all.size > 80, `only ${all.size} patterns found`);
  assert.deepEqual(slow, []);
});
