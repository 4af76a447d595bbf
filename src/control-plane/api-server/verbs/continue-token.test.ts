/** Tokens of paged lists: what was given out comes back, what was not is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isStatusError } from '../../../api/meta/status-error.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';

const encode = (value: string): string => Buffer.from(value).toString('base64url');

test('laws: a token is read as it was written', () => {
  const name = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?$/).filter((text) => text !== '.' && text !== '..');
  fc.assert(
    fc.property(fc.integer({ min: 1 }), name, name, fc.option(fc.nat(), { nil: undefined }), (revision, namespace, after, sinceMs) => {
      const token = { revision, after: `${namespace}/${after}`, sinceMs };
      assert.deepEqual(decodeContinue(encodeContinue(token)), token);
    }),
  );
});

test('laws: any other token is refused as a bad request', () => {
  const part = fc.oneof(fc.integer(), fc.double(), fc.string(), fc.constantFrom(null, -1, 'meta.k8s.io/v1', '../x\0'));
  const odd = fc.oneof(
    fc.string(),
    fc.json().map(encode),
    fc
      .record({ v: fc.constant('meta.k8s.io/v1'), rv: part, start: part }, { requiredKeys: [] })
      .map((token) => encode(JSON.stringify(token))),
  );
  fc.assert(
    fc.property(odd, (token) => {
      try {
        const { revision, after } = decodeContinue(token);
        assert.ok(Number.isSafeInteger(revision) && revision !== 0 && !after.split('/').includes('..'), token);
      } catch (error) {
        assert.ok(isStatusError(error) && error.code === 400, String(error));
      }
    }),
  );
});
