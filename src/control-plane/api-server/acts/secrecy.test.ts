import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errors, StatusError } from '../../../api/meta/status-error.ts';
import { tellable, tellableMessage } from './secrecy.ts';

const key = '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIKx\n-----END EC PRIVATE KEY-----';
const rows = [
  { given: 'pods "a" is forbidden: exceeded quota: q', want: 'pods "a" is forbidden: exceeded quota: q' },
  { given: 'Invalid value: {"matchLabels":{"app":"x"}}: field is immutable', want: 'Invalid value: {…}: field is immutable' },
  { given: 'patch: Invalid value: "{\\"a\\":\\"RklS\\",\\"b\\":{\\"c\\":1}}": bad', want: 'patch: Invalid value: "{…}": bad' },
  { given: 'cut: {"a":"RklS', want: 'cut: {…}' },
  { given: 'a list: [{"a":"RklS"},{"b":1}] and more', want: 'a list: {…} and more' },
  { given: `a key: ${key} ends`, want: 'a key: … ends' },
  { given: 'the token eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJr.c2ln is bad', want: 'the token … is bad' },
  { given: 'Authorization: Bearer abc', want: 'Authorization: Bearer …' },
  { given: 'client-key-data: LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tCk1I', want: 'client-key-data: …' },
  { given: `image a@sha256:${'0a1b'.repeat(16)}`, want: `image a@sha256:${'0a1b'.repeat(16)}` },
  { given: 'y'.repeat(9999), want: `${'y'.repeat(1023)}…` },
];
for (const { given, want } of rows) test(`told: ${want.slice(0, 60)}`, () => assert.equal(tellable(given), want));

const secret = { group: '', kind: 'Secret', resource: 'secrets' };
const invalid = (field: string): StatusError => {
  const cause = { reason: 'FieldValueInvalid', field, message: 'Invalid value: "RklS"' };
  return new StatusError({ code: 422, reason: 'Invalid', message: `Secret "s" is invalid: "RklS"`, details: { causes: [cause] } });
};
const refused = (error: StatusError, refusedBy: string): StatusError => Object.assign(error, { refusedBy });
const refusals = [
  { error: invalid('data.two'), want: 'because of data.two (what it holds is not told)' },
  { error: errors.badRequest('illegal base64 data: RklS'), want: 'what it holds is not told' },
  { error: refused(errors.notFound(secret, 'RklS'), 'hook'), want: 'what it holds is not told' },
  { error: errors.notFound(secret, 's'), want: 'secrets "s" not found' },
  { error: refused(errors.forbidden(secret, 's', 'no'), 'authorization'), want: 'secrets "s" is forbidden: no' },
];
for (const { error, want } of refusals)
  test(`a refusal about a Secret: ${error.reason} ${want}`, () => assert.equal(tellableMessage(secret, error), want));
test('of a Secret a long path is cut', () => assert.ok(tellableMessage(secret, invalid('x'.repeat(5000))).length < 200));
