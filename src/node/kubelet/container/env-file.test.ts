import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lineBytesMax, parseEnvFile } from './env-file.ts';

describe('parseEnvFile', () => {
  const rows: readonly { readonly name: string; readonly given: string; readonly want: string | RegExp }[] = [
    { name: 'a value', given: "KEY='a value'", want: 'a value' },
    { name: 'among others, comments and blank lines', given: "# c\n\n \t\nA='1'\n  KEY='2' # two\n", want: '2' },
    { name: 'the first counts', given: "KEY='1'\nKEY='2'", want: '1' },
    { name: 'over several lines', given: "KEY='one\n two\n\nthree'\n", want: 'one\n two\n\nthree' },
    { name: 'nothing is expanded', given: 'KEY=\'$HOME\\n"x"\'', want: '$HOME\\n"x"' },
    { name: 'not there', given: "OTHER='1'", want: '' },
    { name: 'empty', given: '', want: '' },
    { name: 'space after the sign makes it empty', given: "KEY= '1'", want: '' },
    { name: 'lines of Windows', given: "A='1'\r\nKEY='2'\r\n", want: '2' },
    { name: 'what follows the key is not looked at', given: "KEY='1'\nno assignment", want: '1' },
    { name: 'no assignment', given: "nothing\nKEY='1'", want: /^Error: line 1 / },
    { name: 'no name', given: "='1'", want: /^Error: line 1 / },
    { name: 'space before the sign', given: "\nKEY ='1'", want: /^Error: line 2 / },
    { name: 'no quotes', given: 'KEY=1', want: /single quotes/ },
    { name: 'other quotes', given: 'KEY="1"', want: /single quotes/ },
    { name: 'something after the quote', given: "KEY='1'2", want: /closing quote/ },
    { name: 'an open quote', given: "KEY='1\n2\n", want: /not closed/ },
    { name: 'the longest line', given: `KEY='${'x'.repeat(lineBytesMax - 7)}'`, want: 'x'.repeat(lineBytesMax - 7) },
    { name: 'a longer line', given: `KEY='${'x'.repeat(lineBytesMax - 6)}'`, want: /more than 65536 bytes/ },
    { name: 'zeros', given: '\0'.repeat(lineBytesMax), want: /more than 65536 bytes/ },
  ];
  for (const { name, given, want } of rows) {
    test(name, () => {
      if (want instanceof RegExp) assert.throws(() => parseEnvFile(Buffer.from(given), 'KEY'), want);
      else assert.equal(parseEnvFile(Buffer.from(given), 'KEY'), want);
    });
  }
});
