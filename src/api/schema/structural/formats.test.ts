import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCheck } from './formats.ts';

const rows: Readonly<Record<string, { readonly yes: readonly string[]; readonly no: readonly string[] }>> = {
  bsonobjectid: { yes: ['5f0c1b2a3d4e5f6071829304'], no: ['5f0c', '5f0c1b2a3d4e5f607182930g'] },
  uri: {
    yes: ['http://a/b', '/path', '*', 'mailto:a', 'http://[::1]:80/', 'https://u:p@h?q=%zz'],
    no: ['', 'a/b', '://x', 'http://a b/', '/%zz', 'http://a:x/', 'http://[::1'],
  },
  email: { yes: ['a@b', 'A B <a@b.c>', '"x y"@b', '"A." <a@b>'], no: ['a', 'a@', '@b', 'a@b c', 'a..b@c', 'A <a@b'] },
  hostname: { yes: ['example.com', 'a', '1a.example.com', 'ex\u00e4mple.com'], no: ['', '-a', 'a-.com', 'a.b.1', `${'a'.repeat(64)}.com`] },
  ipv4: { yes: ['1.2.3.4', '010.2.3.4', '::ffff:1.2.3.4'], no: ['1.2.3', '::1', '256.1.1.1'] },
  ipv6: { yes: ['::1'], no: ['1.2.3.4', 'fe80::1%eth0'] },
  cidr: { yes: ['1.2.3.0/24', '::/0'], no: ['1.2.3.4', '1.2.3.4/33'] },
  mac: { yes: ['01:23:45:67:89:ab', '01-23-45-67-89-ab-cd-ef', '0123.4567.89ab'], no: ['01:23:45:67:89', '01:23:45:67:89-ab'] },
  uuid: { yes: ['123e4567-e89b-12d3-a456-426614174000', '123E4567e89b12d3a456426614174000'], no: ['123e4567'] },
  uuid3: { yes: ['123e4567-e89b-32d3-a456-426614174000'], no: ['123e4567-e89b-12d3-a456-426614174000'] },
  uuid4: { yes: ['123e4567-e89b-42d3-a456-426614174000'], no: ['123e4567-e89b-42d3-c456-426614174000'] },
  uuid5: { yes: ['123e4567-e89b-52d3-a456-426614174000'], no: ['123e4567-e89b-42d3-a456-426614174000'] },
  isbn: { yes: ['0321751043', '978-0321751041'], no: ['0321751044'] },
  isbn10: { yes: ['0321751043', '080442957X'], no: ['9780321751041'] },
  isbn13: { yes: ['978-0321751041'], no: ['978-0321751042'] },
  creditcard: { yes: ['4111-1111-1111-1111'], no: ['4111-1111-1111-1112', ''] },
  ssn: { yes: ['111-11-1111'], no: ['11111111111', '111111111'] },
  hexcolor: { yes: ['#FFF', 'ffffff'], no: ['#ffff'] },
  rgbcolor: { yes: ['rgb(1, 2,255)'], no: ['rgb(1,2,256)'] },
  byte: { yes: ['aGk=', 'aGkh'], no: ['', 'aGk', 'a===', '====', 'a b='] },
  password: { yes: [''], no: [] },
  date: { yes: ['2020-02-29'], no: ['2019-02-29', '2020-13-01', '2020-1-1'] },
  duration: { yes: ['5m', '1.5h', '2 hours', '3 weeks 2d'], no: ['', '5', 'minutes', '5 x', '99999999999999999999 s', '1h'.repeat(1000)] },
  'date-time': {
    yes: ['2020-01-01T00:00:00Z', '2020-01-01t23:59:59.123+01:00'],
    no: ['2020-01-01', '2020-01-01T24:00:00Z', '2020-01-01T00:00:00'],
  },
  'k8s-short-name': { yes: ['a-b'], no: ['-a', 'A', 'a.b', 'a'.repeat(64)] },
  'k8s-long-name': { yes: ['a.b-c', 'a'.repeat(253)], no: ['a..b', 'a'.repeat(254)] },
};

for (const [format, { yes, no }] of Object.entries(rows)) {
  test(format, () => {
    const check = formatCheck(format) ?? assert.fail();
    assert.deepEqual(
      yes.filter((text) => !check(text)),
      [],
    );
    assert.deepEqual(no.filter(check), []);
  });
}

test('no text of a megabyte takes long, whatever the format', () => {
  const texts = ['1', 'a', '1.', 'a@', '"', '%25', ':', '[', 'aGk=', 'http://', '-', '5 '].map((part) =>
    part.repeat(1_000_000 / part.length),
  );
  for (const format of Object.keys(rows)) {
    const check = formatCheck(format) ?? assert.fail();
    for (const text of [...texts, ...texts.map((each) => `http://${each}`)]) {
      const before = process.cpuUsage().user;
      check(text);
      assert.ok(process.cpuUsage().user - before < 500_000, `${format} of ${text.slice(0, 10)}`);
    }
  }
});
