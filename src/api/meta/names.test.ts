import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkConfigMapKey,
  checkDns1035Label,
  checkDns1123Label,
  checkEnvVarName,
  checkLabelValue,
  checkPathSegment,
  checkPortName,
  checkPortNumber,
  checkQualifiedName,
  checkRelaxedEnvVarName,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
} from './names.ts';

const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const dns1035 =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

const rows: readonly { check: (value: string) => readonly string[]; value: string; want: readonly string[] }[] = [
  { check: checkDns1123Label, value: 'a-1', want: [] },
  { check: checkDns1123Label, value: 'a.b', want: ['must not contain dots'] },
  { check: checkDns1123Label, value: 'A', want: [label] },
  { check: checkDns1123Label, value: 'a'.repeat(64), want: ['must be no more than 63 characters'] },
  { check: checkDns1123Label, value: 'a\n', want: [label] },
  { check: checkDns1123Label, value: '!'.repeat(5000), want: ['must be no more than 63 characters'] },
  { check: checkQualifiedName, value: `a/${'!'.repeat(5000)}`, want: ['name part must be no more than 63 bytes'] },
  { check: checkDns1035Label, value: '1a', want: [dns1035] },
  { check: checkQualifiedName, value: 'a.b/c_d', want: [] },
  { check: checkQualifiedName, value: '/c', want: ['prefix part must be non-empty'] },
  { check: checkLabelValue, value: '', want: [] },
  { check: checkLabelValue, value: 'x'.repeat(64), want: ['must be no more than 63 bytes'] },
  { check: checkPortName, value: 'http', want: [] },
  {
    check: checkPortName,
    value: '-1--2-this-is-long',
    want: ['must be no more than 15 characters', 'must not contain consecutive hyphens', 'must not begin or end with a hyphen'],
  },
  { check: checkPortName, value: '80', want: ['must contain at least one letter (a-z)'] },
  {
    check: checkPortName,
    value: 'A',
    want: ['must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)', 'must contain at least one letter (a-z)'],
  },
  { check: (v) => checkPortNumber(Number(v)), value: '0', want: ['must be between 1 and 65535, inclusive'] },
  { check: checkConfigMapKey, value: '..', want: ["must not be '..'"] },
  { check: checkConfigMapKey, value: '..a', want: ["must not start with '..'"] },
  { check: checkConfigMapKey, value: 'a.b-C_1', want: [] },
  {
    check: checkConfigMapKey,
    value: 'a/b',
    want: [
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    ],
  },
  {
    check: checkEnvVarName,
    value: '1A',
    want: [
      "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')",
    ],
  },
  { check: checkRelaxedEnvVarName, value: '1A b', want: [] },
  {
    check: checkRelaxedEnvVarName,
    value: 'a=b',
    want: ["a valid environment variable name must consist only of printable ASCII characters other than '='"],
  },
  { check: checkPathSegment, value: 'system:node', want: [] },
  { check: checkPathSegment, value: 'a/b%', want: ["may not contain '/'", "may not contain '%'"] },
  { check: checkPathSegment, value: '..', want: ["may not be '..'"] },
  { check: (v) => nameIsDnsSubdomain(v, true), value: 'abc-', want: [] },
  { check: (v) => nameIsDnsLabel(v, false), value: 'abc-', want: [label] },
];

test('names', () => {
  for (const { check, value, want } of rows) assert.deepEqual(check(value), want, value);
});
