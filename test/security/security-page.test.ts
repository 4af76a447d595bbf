/** docs/security.md names files that exist, every test of this folder, every mechanism of its list once, and true bounds. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { it } from 'node:test';
import { fieldTermsMax, selectorTokensMax } from '../../src/api/meta/selectors.ts';
import { fieldErrorsMax } from '../../src/api/meta/status-error.ts';
import { bodyValuesMax } from '../../src/api/schema/body.ts';
import { nestingMax } from '../../src/api/schema/nesting.ts';
import { requestHeadBytesMax, requestHeadersMax } from '../../src/client/transport/node-http.ts';
import { flowLimits, userShare } from '../../src/control-plane/api-server/chain/flow-control.ts';
import { bodyBytesMax } from '../../src/control-plane/api-server/http/exchange.ts';
import { fileBytesMax } from '../../src/node/kubelet/container/env-file.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/security.md'), 'utf8');
const mechanismsMax = 66;

it('names files that exist', () => {
  const named = [...page.matchAll(/`((?:src|test|docs)\/[^`\s]+\.\w+)`/g)].map(([, path = '']) => path);
  assert.ok(named.length > 50);
  assert.deepEqual(
    [...new Set(named)].filter((path) => !existsSync(join(root, path))),
    [],
  );
});

it('names every file by its whole path', () => {
  const short = [...page.matchAll(/`([\w.-]+\.(?:ts|sh|md))`/g)].map(([, name]) => name);
  assert.deepEqual(short, []);
});

it('names every test of this folder', () => {
  const own = basename(import.meta.filename);
  const tests = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts') && name !== own);
  assert.deepEqual(
    tests.filter((name) => !page.includes(`\`test/security/${name}\``)),
    [],
  );
});

it('names every mechanism once', () => {
  const numbers = [...page.matchAll(/^\| (\d[\d, –]*) \|/gm)].flatMap(([, cell = '']) => cell.split(', ').flatMap(range));
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    Array.from({ length: mechanismsMax }, (_, i) => i + 1),
  );
});

const mebibytes = (bytes: number): string => `${bytes / 2 ** 20} MiB`;
const count = (number: number): string => number.toLocaleString('en-US');
for (const told of [
  `head ${mebibytes(requestHeadBytesMax)} and ${count(requestHeadersMax)} headers`,
  `body ${mebibytes(bodyBytesMax)}, ${count(bodyValuesMax)} values, ${count(nestingMax)} levels`,
  `a selector ${count(selectorTokensMax)} words and signs, or ${count(fieldTermsMax)} terms`,
  `${count(fieldErrorsMax)} errors`,
  `${count(flowLimits.readOnlyMax)} reading, ${count(flowLimits.mutatingMax)} writing, of one user ${userShare === 1 / 4 ? 'a quarter' : userShare}; ${count(flowLimits.queueMax)} wait`,
  `environment files ${mebibytes(fileBytesMax)}`,
]) {
  it(`tells the bound: ${told}`, () => assert.ok(page.includes(told)));
}

/** `3` or `3–5` */
function range(text: string): readonly number[] {
  const [first = 0, last = first] = text.split('–').map(Number);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
