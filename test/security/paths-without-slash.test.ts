/**
 * CVE-2026-33186: a path without its leading slash is led to the method that it names, and past the rule that is written
 * with one. Over HTTP/2 a client sends the path as it likes: what is no absolute path is nobody's, an administrator's
 * neither; so that no two places in the server can read it in two ways. (No gRPC is served here.)
 */
import assert from 'node:assert/strict';
import { connect, constants } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import { ConfigMap } from '../../src/api/generated/kinds.ts';
import { type GuardedServer, startGuardedServer } from '../kit/guarded-server.ts';

const target = '/api/v1/namespaces/default/configmaps/theirs';
const paths = [
  target.slice(1),
  `x${target}`,
  `.${target}`,
  `*${target}`,
  '*',
  '?watch=true',
  `#${target}`,
  `:443${target}`,
  `//x${target}`,
  `///${target}`,
  `\\${target.slice(1)}`,
  `%2f${target.slice(1)}`,
  ` ${target}`,
  `https://127.0.0.1${target}`,
  `HTTPS:${target}`,
];

describe('paths over HTTP/2 that are not absolute', () => {
  let running: GuardedServer;
  let ask: (path: string) => Promise<{ readonly code: number; readonly text: string }>;
  const closers: (() => void)[] = [];
  before(async () => {
    running = await startGuardedServer();
    await running.admin.create(ConfigMap, { metadata: { name: 'theirs', namespace: 'default' }, data: { key: 'hidden' } });
    const identity = { commonName: 'admin-2', organizations: ['system:masters'], usages: ['client'] as const };
    const { certPem: cert, keyPem: key } = await running.pki.certificate('admin-2', identity);
    ask = (path) => {
      const session = connect(`https://127.0.0.1:${running.port}`, { ca: running.pki.authority.certPem, cert, key });
      closers.push(() => session.destroy());
      return new Promise((resolve, reject) => {
        session.on('error', reject);
        const stream = session.request({ [constants.HTTP2_HEADER_PATH]: path });
        let [code, text] = [0, ''];
        stream.on('response', (headers) => {
          code = Number(headers[':status']);
        });
        stream.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        stream.on('error', () => undefined); // a stream that is reset has the code 0
        stream.on('close', () => resolve({ code, text }));
      });
    };
  });
  after(async () => {
    for (const close of closers) close();
    await running[Symbol.asyncDispose]();
  });

  for (const path of paths) {
    it(JSON.stringify(path), async () => {
      const { code, text } = await ask(path);
      assert.ok([0, 301, 400, 403, 404].includes(code), String(code));
      assert.ok(!text.includes('hidden'), text);
    });
  }
  it(`${target}, which is`, async () => {
    const { code, text } = await ask(target);
    assert.equal(code, 200);
    assert.match(text, /hidden/);
  });
});
