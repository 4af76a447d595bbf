/** With one seed, and a clock that is moved by hand, all that happens in a cluster is the same every time, to the byte. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { it } from 'node:test';
import { makeRequest } from '../kit/credentials.ts';
import { recordHistory } from '../kit/history.ts';

it('two runs in one process, and one in another, have one history; another seed has another', async () => {
  const { base64 } = await makeRequest('CN=jane');
  const first = await recordHistory(7, base64);
  assert.ok(first.length > 500, `${first.length} events`);
  assert.deepEqual(await recordHistory(7, base64), first);
  const program = `
    import { recordHistory } from ${JSON.stringify(new URL('../kit/history.ts', import.meta.url).href)};
    process.stdout.write(JSON.stringify(await recordHistory(7, ${JSON.stringify(base64)})));`;
  const options = { encoding: 'utf8' as const, maxBuffer: 1 << 28, env: { ...process.env, TZ: 'Asia/Tokyo', LANG: 'C' } };
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], options);
  assert.equal(stderr, ''); // no warning of Node's either
  assert.deepEqual(JSON.parse(stdout), first);
  assert.notDeepEqual(await recordHistory(8, base64), first);
});
