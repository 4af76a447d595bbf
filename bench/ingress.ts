/**
 * `node bench/ingress.ts --nginx PATH --wrk PATH`: the proxy of Ingresses beside none and beside nginx, in one run: rate,
 * latency and processor time of the proxy. The back end is nginx too, so that it is not what is measured. Everything is on
 * loopback and ends by itself. Debian has both programs (`nginx`, `wrk`); they need not be installed, only there.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { IngressProxy } from '../test/kit/ingress-proxy.ts';
import { cpuMsOf } from './process-usage.ts';

const { values: flags } = parseArgs({
  options: {
    nginx: { type: 'string', default: 'nginx' },
    wrk: { type: 'string', default: 'wrk' },
    seconds: { type: 'string', default: '8' },
    connections: { type: 'string', default: '32' },
    /** by itself: the proxy in a process of its own */
    serve: { type: 'string' },
  },
});
const host = 'web.test';
const rounds = 3;
const bodyBytes = 1024;

if (flags.serve !== undefined) {
  const proxy = await IngressProxy.start();
  proxy.route({ host, ports: [Number(flags.serve)] });
  process.stdout.write(`${proxy.http}\n`);
} else await compare();

async function compare(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'timonier-bench-ingress-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const [backendPort, nginxPort] = [18_180, 18_181];
  const backend = await startNginx(stack, {
    dir,
    name: 'backend',
    port: backendPort,
    server: `location / { return 200 '${'x'.repeat(bodyBytes)}'; }`,
  });
  const upstream = `upstream u { server 127.0.0.1:${backendPort}; keepalive 64; }`;
  const location =
    'location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; }';
  const peer = await startNginx(stack, { dir, name: 'peer', port: nginxPort, server: location, http: upstream });
  const own = spawn(process.execPath, ['--max-semi-space-size=4', import.meta.filename, '--serve', String(backendPort)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  stack.defer(() => {
    own.kill();
  });
  const ownPort = Number(String((await once(own.stdout, 'data'))[0]));
  const targets = [
    { name: 'none', port: backendPort, pid: backend },
    { name: 'nginx', port: nginxPort, pid: peer },
    { name: 'timonier', port: ownPort, pid: own.pid ?? 0 },
  ];
  for (const { port } of targets) await answered(port);
  console.log(
    '| proxy | requests/s | p50 ms | p99 ms | its CPU, ms per 1,000 | one at a time: p50, p99 ms |\n|---|---:|---:|---:|---:|---:|',
  );
  for (let round = 0; round < rounds; round++)
    for (const { name, port, pid } of targets) {
      const before = cpuMsOf([pid]);
      const full = measure(port, Number(flags.connections));
      const cpuMs = (cpuMsOf([pid]) - before) / (full.requests / 1000);
      const alone = measure(port, 1);
      console.log(`| ${name} | ${Math.round(full.rate)} | ${full.p50} | ${full.p99} | ${Math.round(cpuMs)} | ${alone.p50}, ${alone.p99} |`);
    }
}

/** One worker: one core, as ours has. Resolves with its process when it listens. */
async function startNginx(
  stack: AsyncDisposableStack,
  of: { readonly dir: string; readonly name: string; readonly port: number; readonly server: string; readonly http?: string },
): Promise<number> {
  const file = join(of.dir, `${of.name}.conf`);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${join(of.dir, of.name)}-${name};`);
  const http = `access_log off; keepalive_requests 1000000; ${paths.join(' ')} ${of.http ?? ''} server { listen 127.0.0.1:${of.port}; ${of.server} }`;
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${file}.pid; error_log ${file}.log; events { worker_connections 1024; } http { ${http} }`,
  );
  const child = spawn(flags.nginx, ['-c', file, '-e', `${file}.log`], { stdio: 'inherit' });
  const ended = once(child, 'exit');
  stack.defer(async () => {
    child.kill();
    await ended;
  });
  await Promise.race([answered(of.port), ended.then(() => Promise.reject(new Error(`${flags.nginx} ended`)))]);
  return child.pid ?? 0;
}

/** Until there is any answer, for ten seconds. */
async function answered(port: number): Promise<void> {
  const untilMs = performance.now() + 10_000;
  for (;;) {
    try {
      const asked = request({ host: '127.0.0.1', port, headers: { host }, agent: false }).end();
      const [response] = (await once(asked, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
      response.resume();
      if (response.statusCode === 200 || response.statusCode === 502) return;
      throw new Error(`${port} answers ${response.statusCode}`);
    } catch (error) {
      if (performance.now() > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** By wrk. */
function measure(port: number, connections: number) {
  const args = ['-t1', `-c${connections}`, `-d${flags.seconds}s`, '--latency', '-H', `Host: ${host}`, `http://127.0.0.1:${port}/`];
  const text = execFileSync(flags.wrk, args, { encoding: 'utf8' });
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(text);
  const percentile = (name: string): number => milliseconds(new RegExp(`${name}%\\s+([\\d.]+)(us|ms|s)`).exec(text));
  return {
    rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    requests: Number(/(\d+) requests in/.exec(text)?.[1]),
    p50: percentile('50'),
    p99: percentile('99'),
  };
}

function milliseconds(found: RegExpExecArray | null): number {
  const [, number, unit = 'us'] = found ?? [];
  const ms = Number(number) * { us: 0.001, ms: 1, s: 1000 }[unit as 'us' | 'ms' | 's'];
  return Number(ms.toFixed(2));
}
