import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { headerText, warningHeaders } from './header-text.ts';

const printable = /^[\x20-\x7e]*$/;

describe('text in a header', () => {
  for (const [given, want] of [
    ['8f7c-1', '8f7c-1'],
    ['x世', 'x%E4%B8%96'],
    ['é\r\nset-cookie: a', '%C3%A9%0D%0Aset-cookie: a'],
    ['a\tb\0', 'a%09b%00'],
    ['\ud800', '%EF%BF%BD'],
  ] as const) {
    it(`${JSON.stringify(given)} is ${want}`, () => assert.equal(headerText(given), want));
  }
});

describe('warnings of an answer', () => {
  const rows: readonly { readonly name: string; readonly given: readonly string[]; readonly want: readonly string[] }[] = [
    { name: 'quotes and backslashes are escaped', given: ['unknown field "a\\b"'], want: ['299 - "unknown field \\"a\\\\b\\""'] },
    { name: 'what is not ASCII is an encoded word', given: ['x世y'], want: ['299 - "x=?utf-8?q?=E4=B8=96?=y"'] },
    {
      name: 'a long one is several',
      given: ['世'.repeat(8)],
      want: [`299 - "=?utf-8?q?${'=E4=B8=96'.repeat(7)}?= =?utf-8?q?=E4=B8=96?="`],
    },
    { name: 'each is told once, an empty one never', given: ['a', '', 'b', 'a'], want: ['299 - "a"', '299 - "b"'] },
    { name: 'one with a control character is left out', given: ['a\nb', 'c\u0085', 'd'], want: ['299 - "d"'] },
    { name: 'half of a character is no text', given: ['\ud800', 'd'], want: ['299 - "d"'] },
    { name: 'one that fills the limit is whole', given: ['x'.repeat(4096)], want: [`299 - "${'x'.repeat(4096)}"`] },
    {
      name: 'over the limit each is cut',
      given: ['x'.repeat(4096), 'y'],
      want: [`299 - "${'x'.repeat(256)}"`, '299 - "y"'],
    },
    { name: 'characters are cut, not their halves', given: ['😀'.repeat(4097)], want: [`299 - "${encoded('😀'.repeat(256))}"`] },
    {
      name: 'cut ones end at the limit too',
      given: Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(300, '.')),
      want: Array.from({ length: 16 }, (_, i) => `299 - "${`${i}`.padEnd(256, '.')}"`),
    },
  ];
  for (const { name, given, want } of rows) it(name, () => assert.deepEqual(warningHeaders(given), want));

  it('are printable, whatever they say', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 5 }), (messages) => {
        for (const header of warningHeaders(messages)) assert.match(header, printable);
      }),
    );
  });
});

function encoded(text: string): string {
  const words: string[] = [];
  const characters = [...text].map((c) => [...Buffer.from(c)].map((b) => `=${b.toString(16).toUpperCase()}`).join(''));
  for (let i = 0; i < characters.length; i += 5) words.push(`=?utf-8?q?${characters.slice(i, i + 5).join('')}?=`);
  return words.join(' ');
}
