/** What containers, images and servers say is read up to a bound, however much they say. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFile, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { realClock } from '../../src/client/clock.ts';
import { createLog, logLevels } from '../../src/cluster/log/logging.ts';
import { FileGate } from '../../src/node/files/file-gate.ts';
import { LineSplitter } from '../../src/node/kubelet/container/cri-log.ts';
import { readContainerNotes } from '../../src/node/kubelet/pod/runtime-labels.ts';
import { httpGet, planHTTPGet } from '../../src/node/kubelet/probes/http-get.ts';
import { outputBytesMax, runProbe } from '../../src/node/kubelet/probes/run-probe.ts';
import { readTerminationMessage } from '../../src/node/kubelet/status/termination-message.ts';
import type { ContainerRuntime } from '../../src/node/runtime/container-runtime.ts';
import type { ContainerStatus } from '../../src/node/runtime/cri-types.ts';
import { readTar, writeTar } from '../../src/node/runtime/tar.ts';
import { container } from '../kit/test-pods.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'unbounded-'));
});
after(() => rm(dir, { recursive: true }));
const gate = new FileGate({ clock: realClock });
const main = container('main');

describe('the log of the cluster: a line stays short', () => {
  const long = 'x'.repeat(1_000_000);
  const path = `/${'d'.repeat(200)}`.repeat(60);
  const rows: readonly { readonly name: string; readonly fields: object; readonly message?: string }[] = [
    { name: 'a text', fields: { long } },
    { name: 'a message', fields: {}, message: long },
    { name: 'an error of the file system', fields: { error: Object.assign(new Error(`ENAMETOOLONG: ${path}`), { path, dest: path }) } },
    { name: 'an error with causes', fields: { error: new Error(long, { cause: new Error(long, { cause: long }) }) } },
    { name: 'many errors', fields: { error: new AggregateError(Array.from({ length: 1000 }, () => new Error(long.slice(0, 999)))) } },
    { name: 'an object', fields: { pod: { spec: Array.from({ length: 10_000 }, () => path) } } },
    { name: 'fields of a child', fields: {} },
  ];
  for (const format of ['text', 'json'] as const) {
    for (const { name, fields, message = 'm' } of rows) {
      test(`${name}, as ${format}`, async () => {
        const lines: string[] = [];
        const log = await createLog({ level: 'debug', format, clock: realClock, write: (line) => lines.push(line) });
        for (const level of logLevels) log.child({ long: name === 'fields of a child' ? long : '' })[level](fields, message);
        assert.equal(lines.length, logLevels.length);
        for (const line of lines) assert.ok(line.length < 10_000 && line.endsWith('\n'), `${line.length} ${line.slice(0, 200)}`);
      });
    }
  }
  test('what is short stays as it is', async () => {
    const lines: string[] = [];
    const log = await createLog({ level: 'info', format: 'json', clock: realClock, write: (line) => lines.push(line) });
    log.info({ pod: { name: 'a' }, n: 1, none: undefined }, 'm');
    const { time: _, ...rest } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    assert.deepEqual(rest, { level: 'info', pod: { name: 'a' }, n: 1, msg: 'm' });
  });
});

describe('lines of a container’s log', () => {
  const linesOf = (chunks: readonly string[]): readonly string[] => {
    const splitter = new LineSplitter();
    return chunks.flatMap((chunk) => [...splitter.push(Buffer.from(chunk))].map(String));
  };
  test('one without end is left out, and nothing is kept of it', () => {
    const splitter = new LineSplitter();
    const before_ = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 1000; i++) assert.deepEqual([...splitter.push(Buffer.alloc(64 * 1024, 0x78))], []);
    assert.ok(process.memoryUsage().arrayBuffers - before_ < 100 * 2 ** 20);
    assert.deepEqual([...splitter.push(Buffer.from('end\nnext\nrest'))].map(String), ['next']);
  });
  test('others are whole, however they come', () => {
    assert.deepEqual(linesOf(['a', 'b\n\nc', 'd\n']), ['ab', '', 'cd']);
    const long = 'y'.repeat(200_000);
    assert.deepEqual(linesOf([long, '\n', `${'z'.repeat(300_000)}\nshort\n`]), [long, 'short']);
  });
});

describe('last words', () => {
  const say = (path: string, policy = 'File'): Promise<string> => {
    const status = { exitCode: 1, reason: 'Error', mounts: [{ containerPath: '/words', hostPath: path }], logPath: path };
    const notes = {
      ...readContainerNotes({}),
      terminationMessagePath: policy === 'File' ? '/words' : '',
      terminationMessagePolicy: policy,
    };
    return readTerminationMessage(status as unknown as ContainerStatus, notes, gate);
  };
  test('4 KiB of the end', async () => {
    const path = join(dir, 'words');
    await writeFile(path, `${'a'.repeat(5_000_000)}${'b'.repeat(4096)}`);
    assert.equal(await say(path), 'b'.repeat(4096));
  });
  test('2 KiB and 80 lines of a log, whatever its lines', async () => {
    const path = join(dir, 'log');
    const line = (text: string): string => `2026-01-01T00:00:00Z stdout F ${text}\n`;
    await writeFile(path, Array.from({ length: 500 }, (_, i) => line(String(i))).join(''));
    const words = await say(path, 'FallbackToLogsOnError');
    assert.equal(words.split('\n').length - 1, 80);
    await appendFile(path, 'x'.repeat(1_000_000));
    assert.equal(await say(path, 'FallbackToLogsOnError'), '');
    await writeFile(path, Array.from({ length: 500 }, () => line('w'.repeat(100))).join(''));
    assert.equal((await say(path, 'FallbackToLogsOnError')).length, 2048);
  });
  test('of a directory, a device, a link', async () => {
    for (const path of [dir, '/dev/zero', '/proc/self/exe'])
      assert.match(await say(path), /^Error on reading termination log .*no regular file$/);
  });
});

describe('answers to probes', () => {
  const ask = async (listener: RequestListener): Promise<Awaited<ReturnType<typeof httpGet>>> => {
    const server = createServer({ maxHeaderSize: 2 ** 20 }, listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      return await httpGet(planHTTPGet({ port, path: '/' }, main, { podIP: '127.0.0.1', purpose: 'probe' }), AbortSignal.timeout(20_000));
    } finally {
      server.closeAllConnections();
      server.close();
    }
  };
  test('a body without end', async () => {
    const { statusCode, body } = await ask((_, response) => {
      const more = (): void => {
        while (response.writable && response.write('x'.repeat(65_536)));
        response.once('drain', more);
      };
      more();
    });
    assert.deepEqual([statusCode, body.length], [200, outputBytesMax]);
  });
  test('a redirect whose body has no end: it is not read', async () => {
    let written = 0;
    let ended = false;
    const answer = await ask((request, response) => {
      if (request.url === '/next') return void response.end('there');
      response.writeHead(302, { location: '/next' });
      response.on('close', () => {
        ended = true;
      });
      const more = (): void => {
        while (!ended && response.write('x'.repeat(65_536))) written += 65_536;
        response.once('drain', more);
      };
      more();
    });
    assert.equal(answer.body, 'there');
    assert.ok(written < 50 * 2 ** 20, String(written));
  });
  test('redirects without end', async () => {
    const going = ask((request, response) => response.writeHead(302, { location: `${request.url}x` }).end());
    await assert.rejects(going, /stopped after 10 redirects/);
  });
  test('headers larger than Node takes by itself', async () => {
    const { body } = await ask((_, response) => response.writeHead(200, { big: 'h'.repeat(100_000) }).end('ok'));
    assert.equal(body, 'ok');
  });
  test('what a command says', async () => {
    const stdout = Buffer.alloc(16 * 2 ** 20, 'o');
    const runtime = { execSync: async () => ({ stdout, stderr: stdout, exitCode: 1 }) } as unknown as ContainerRuntime;
    const target = { runtime, clock: realClock, container: main, containerID: 'c', podIP: '', signal: new AbortController().signal };
    const { result, output } = await runProbe('liveness', { exec: { command: ['x'] } }, target);
    assert.deepEqual([result, output.length], ['failure', outputBytesMax]);
  });
});

describe('image archives', () => {
  const read = async (archive: Buffer): Promise<readonly string[]> => {
    const path = join(dir, 'archive.tar');
    await writeFile(path, archive);
    await using file = await open(path);
    const paths: string[] = [];
    for await (const entry of readTar(file.createReadStream(), 1000)) paths.push(entry.path);
    return paths;
  };
  const header = (change: (header: Buffer) => void): Buffer => {
    const archive = Buffer.from(writeTar([{ path: 'index.json', content: '{}' }]));
    change(archive);
    return archive;
  };
  const rows: readonly { readonly name: string; readonly archive: Buffer; readonly want: RegExp | readonly string[] }[] = [
    { name: 'a plain one', archive: header(() => undefined), want: ['index.json'] },
    { name: 'a name of 8 GiB', archive: header((h) => h.write('L', 156) && h.write('77777777777', 124)), want: /a name of \d+ bytes/ },
    {
      name: 'a pax header of 8 GiB',
      archive: header((h) => h.write('x', 156) && h.write('77777777777', 124)),
      want: /a name of \d+ bytes/,
    },
    { name: 'a size that is none', archive: header((h) => h.write('zzzzzzzzzzz', 124)), want: /without a size/ },
    { name: 'a file that is not there', archive: header((h) => h.write('77777777777', 124)), want: /the archive ends too early/ },
    { name: 'no archive', archive: Buffer.alloc(1024, 'x'), want: /not a tar archive/ },
  ];
  for (const { name, archive, want } of rows) {
    test(name, async () => {
      if (want instanceof RegExp) await assert.rejects(read(archive), want);
      else assert.deepEqual(await read(archive), want);
    });
  }
});
