import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rootCertificates } from 'node:tls';
import { caBundleProblem } from './ca-bundle.ts';

const malformed = 'failed to parse certificate: x509: malformed certificate';
const noBlock = 'unable to parse bytes as PEM block';
const noAuthority = 'no valid certificate authority data seen';
const authority = `${rootCertificates[0]}\n`;
const block = (type: string, body: string): string => `-----BEGIN ${type}-----\n${body}-----END ${type}-----\n`;
const bad = block('CERTIFICATE', 'AAAA\n');
const key = block('PRIVATE KEY', 'AAAA\n');

describe('a bundle of authorities', () => {
  /** the words after `unable to load root certificates: `, as upstream answers. */
  const rows: readonly { readonly name: string; readonly given: string; readonly want: string | undefined }[] = [
    { name: 'one certificate', given: authority, want: undefined },
    { name: 'text around it', given: `for the webhook:\n${authority}of 2026`, want: undefined },
    { name: 'one that can not be read before it', given: `${bad}${authority}`, want: undefined },
    { name: 'one that can not be read after it', given: `${authority}${bad}`, want: undefined },
    { name: 'a key before it', given: `${key}${authority}`, want: undefined },
    { name: 'no PEM', given: 'garbage', want: noBlock },
    { name: 'blanks', given: '   \n', want: noBlock },
    { name: 'one that can not be read', given: bad, want: malformed },
    { name: 'an empty one', given: block('CERTIFICATE', ''), want: malformed },
    { name: 'one with headers', given: authority.replace('\n', '\nA: b\n\n'), want: noAuthority },
    { name: 'a key', given: key, want: noAuthority },
    { name: 'a key, and text after it', given: `${key}rest`, want: noBlock },
    { name: 'no base64', given: block('CERTIFICATE', '!!!!\n'), want: noBlock },
    { name: 'no end', given: '-----BEGIN CERTIFICATE-----\nAAAA\n', want: noBlock },
    { name: 'the end of another', given: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END KEY-----\n', want: noBlock },
    { name: 'a megabyte of beginnings', given: '-----BEGIN CERTIFICATE-----\n'.repeat(40_000), want: noBlock },
    { name: 'a megabyte of beginnings before one end', given: `${'-----BEGIN A-----\n'.repeat(60_000)}${bad.slice(28)}`, want: noBlock },
  ];
  for (const { name, given, want } of rows) {
    it(name, { timeout: 5000 }, () => {
      const problem = caBundleProblem(Buffer.from(given).toString('base64'));
      assert.equal(problem, want && `unable to load root certificates: ${want}`);
    });
  }
});
