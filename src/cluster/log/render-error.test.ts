import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderError } from './render-error.ts';

const secret = 'hunter2';
const hung = Object.assign(new Error('the request is bad', { cause: new TypeError('underneath') }), {
  code: 'HPE_INVALID',
  rawPacket: Buffer.from(`GET / HTTP/1.1\r\nauthorization: Bearer ${secret}`),
  headers: { authorization: `Bearer ${secret}` },
  body: secret,
});

test('an error is told with its code and its causes', () => {
  const text = renderError(hung);
  assert.match(text, /^Error: the request is bad\n +at .*\[HPE_INVALID\]\ncaused by: TypeError: underneath/s);
});
test('nothing that hangs on it is', () => {
  const text = renderError(new AggregateError([hung, secret.length], 'both', { cause: hung }));
  assert.match(text, /of several: Error: the request is bad/);
  assert.ok(!text.includes(secret) && !text.includes(Buffer.from(secret).toString('hex')), text);
});
test('what tells itself without end is cut', () => {
  const endless: { cause?: unknown } & Error = new Error('x'.repeat(100_000));
  endless.cause = endless;
  assert.ok(renderError(endless).length < 40_000);
  assert.equal(renderError({ password: secret }), 'a thrown object');
});
