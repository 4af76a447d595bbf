import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { realClock } from '../../../client/clock.ts';
import { FileGate } from '../../files/file-gate.ts';
import { nodeLogs } from './node-logs.ts';

describe('logs of a node', () => {
  let dataDir: string;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'node-logs-'));
    const container = join(dataDir, 'logs', 'shop_web_1', 'main');
    await mkdir(container, { recursive: true });
    await writeFile(join(container, '0.log'), 'hello\n');
    await writeFile(join(container, '<b>.log'), '');
    await writeFile(join(dataDir, 'secret'), 'secret');
    await symlink('/etc/passwd', join(container, 'absolute'));
    await symlink('../../../secret', join(container, 'relative'));
    await symlink('/etc', join(dataDir, 'logs', 'etc'));
    execFileSync('mkfifo', [join(container, 'pipe')]);
  });
  after(() => rm(dataDir, { recursive: true }));

  const ask = async (path: string, query = ''): Promise<string> => {
    const answer = await nodeLogs(path, new URLSearchParams(query), { dataDir, gate: new FileGate({ clock: realClock }) });
    switch (answer.type) {
      case 'file': {
        await using file = answer.file;
        return `file ${answer.size} ${(await file.readFile()).toString().trim()}`;
      }
      case 'folder':
        return `folder ${[...answer.html.matchAll(/<a href="([^"]*)">([^<]*)</g)].map(([, to, name]) => `${to}|${name}`).join(' ')}`;
      case 'redirect':
        return `to ${answer.location}`;
      case 'refusal':
        return `${answer.status} ${answer.message}`;
    }
  };
  const missing = '404 404 page not found';

  const rows: readonly { readonly path: string; readonly query?: string; readonly want: string }[] = [
    { path: '/', want: 'folder ./pods/|pods/' },
    { path: '', want: 'to logs/' },
    { path: '/pods', want: 'to pods/' },
    { path: '/pods/', want: 'folder ./shop_web_1/|shop_web_1/' },
    { path: '/pods/shop_web_1/main/', want: 'folder ./0.log|0.log ./%3Cb%3E.log|&lt;b&gt;.log' },
    { path: '/pods/shop_web_1/main/0.log', want: 'file 6 hello' },
    { path: '/pods/shop_web_1/main/0.log/', want: missing },
    { path: '/pods//shop_web_1//main/0.log', want: 'file 6 hello' },
    { path: '/pods/shop_web_1/main/0.log/x', want: missing },
    { path: '/pods/nothing', want: missing },
    { path: '/syslog', want: missing },
    { path: '/pods/shop_web_1/main/absolute', want: missing },
    { path: '/pods/shop_web_1/main/relative', want: missing },
    { path: '/pods/shop_web_1/main/pipe', want: missing },
    { path: '/pods/etc/passwd', want: missing },
    { path: '/pods/etc/', want: missing },
    { path: '/pods/../secret', want: '400 invalid path' },
    { path: '/pods/%2e%2e/secret', want: '400 invalid path' },
    { path: '/pods/..%2fsecret', want: '400 invalid path' },
    { path: '/%2fetc%2fpasswd', want: '400 invalid path' },
    { path: '/pods/a%00b', want: '400 invalid path' },
    { path: '/pods/%ff', want: '400 invalid path' },
    { path: `/pods/${'a'.repeat(5000)}`, want: missing },
    { path: '/', query: 'query=kubelet&pattern=%24(id)', want: '400 node log query is not enabled' },
    { path: '/', query: 'query=/etc/passwd', want: '400 node log query is not enabled' },
    { path: '/', query: 'pattern=a', want: '400 node log query is not enabled' },
  ];
  for (const { path, query = '', want } of rows) {
    it(`${path.slice(0, 80)}${query ? `?${query}` : ''}`, async () => assert.equal(await ask(path, query), want));
  }

  it('a node without logs', async () => {
    const options = { dataDir: '/nonexistent', gate: new FileGate({ clock: realClock }) };
    const { type } = await nodeLogs('/', new URLSearchParams(), options);
    assert.equal(type, 'folder');
    assert.deepEqual(await nodeLogs('/pods/', new URLSearchParams(), options), {
      type: 'refusal',
      status: 404,
      message: '404 page not found',
    });
  });
});
