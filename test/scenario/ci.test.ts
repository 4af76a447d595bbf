/** `timonier ci`, as a user has it: exit codes, signals, output, and that nothing stays behind. */
import assert from 'node:assert/strict';
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bundledKubectl } from '../../src/cli/bundled-kubectl.ts';
import { findProgram } from '../../src/cluster/machine/machine.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const words = (...args: string[]): string[] => ['--disable-warning=ExperimentalWarning', main, 'ci', ...args];

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('a command with a cluster of its own', () => {
  let place = '';
  const env = (): NodeJS.ProcessEnv => ({
    ...process.env,
    TMPDIR: place,
    TIMONIER_ROOT: join(place, 'clusters'),
    HELM_KUBECONTEXT: 'production',
    KUBERNETES_SERVICE_HOST: '192.0.2.1',
  });
  before(() => {
    place = mkdtempSync(join(tmpdir(), 'timonier-ci-test-'));
  });
  after(() => rmSync(place, { recursive: true, force: true }));

  const start = (
    args: readonly string[],
    options: SpawnOptions = {},
  ): { child: ChildProcess; ended: Promise<Ended>; said: () => Promise<string> } => {
    const child = spawn(process.execPath, words(...args), { env: env(), stdio: 'pipe', ...options });
    let [stdout, stderr] = ['', ''];
    child.stdout?.on('data', (chunk) => {
      stdout += String(chunk);
    });
    child.stderr?.on('data', (chunk) => {
      stderr += String(chunk);
    });
    const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout, stderr }));
    const said = async (): Promise<string> => {
      while (!stdout.includes('\n')) await Promise.race([once(child.stdout ?? child, 'data'), ended]);
      return stdout;
    };
    return { child, ended, said };
  };
  const run = async (args: readonly string[], input = ''): Promise<Ended> => {
    const { child, ended } = start(args);
    child.stdin?.end(input);
    return ended;
  };
  const left = (): string[] => readdirSync(place);

  it('has its input and output, and finds the cluster by its environment', async () => {
    const script =
      'cat; echo "$KUBECONFIG $USE_EXISTING_CLUSTER $HELM_KUBECONTEXT$KUBERNETES_SERVICE_HOST"; grep -o "server: .*" "$KUBECONFIG"';
    const { code, stdout, stderr } = await run(['--', 'sh', '-c', script], 'dough\n');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^dough\n\/\S+\/timonier-ci-\w+\/kubeconfig true \nserver: https:\/\/127\.0\.0\.1:\d+\n$/);
    assert.match(stderr, /^timonier: cluster ready in \d+\.\d s, 1 simulated: no container runs\n$/);
    assert.deepEqual(left(), []);
  });

  const timonier = `'${process.execPath}' --disable-warning=ExperimentalWarning '${main}'`;
  const verbs: readonly { name: string; words: string; want: { code: number; says: RegExp } }[] = [
    { name: 'kubectl', words: 'kubectl get nodes -o name', want: { code: 0, says: /^node\/ci-\w{6}-simulated-1\n$/ } },
    { name: 'kubeconfig', words: 'kubeconfig | cmp - "$KUBECONFIG" && echo same', want: { code: 0, says: /^same\n$/ } },
    { name: 'watch', words: 'watch --all --json | head -n 1', want: { code: 0, says: /^\{.*\}\n$/ } },
    {
      name: 'example',
      words: 'example bakery "$TIMONIER_CI/bakery"',
      want: {
        code: 0,
        says: /\nNo image is needed: the nodes of cluster "ci-\w{6}" are simulated\.\n[\s\S]*\n {2}timonier kubectl apply -f /,
      },
    },
    ...['status', 'logs', 'image ls', 'down', 'delete', 'up', 'run'].map((words) => ({
      name: words,
      words,
      want: { code: 1, says: /^timonier: cluster "ci-\w{6}" is in the memory of `timonier ci`\n {2}fix: timonier kubectl and / },
    })),
    { name: 'status of another', words: 'status default', want: { code: 1, says: /^timonier: there is no cluster "default"\n/ } },
  ];
  for (const { name, words: verb, want } of verbs)
    it(`is what timonier means without a name: ${name}`, async () => {
      const { code, stdout } = await run(['--quiet', '--', 'sh', '-c', `${timonier} ${verb} 2>&1`]);
      assert.match(stdout, want.says);
      assert.equal(code, want.code);
      assert.deepEqual(left(), []);
    });

  it('is envtest’s API server alone, when asked', async () => {
    const kubectl = (await bundledKubectl()) ?? assert.fail('the development dependencies bring kubectl');
    const flags = ['--quiet', '--components', 'api-server', '--disable-admission-plugins', 'ServiceAccount'];
    const { code, stdout, stderr } = await run([...flags, '--', kubectl, 'get', 'nodes,serviceaccounts,leases', '-A']);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '', stderr: 'No resources found\n' });
  });

  const ends: readonly { name: string; args: readonly string[]; want: { code: number; stderr: RegExp } }[] = [
    { name: 'its exit code', args: ['--quiet', '--', 'sh', '-c', 'exit 3'], want: { code: 3, stderr: /^$/ } },
    { name: 'without --', args: ['--quiet', 'sh', '-c', 'exit 4'], want: { code: 4, stderr: /^$/ } },
    { name: 'a signal', args: ['--quiet', '--', 'sh', '-c', 'kill -9 $$'], want: { code: 137, stderr: /^$/ } },
    {
      name: 'not found',
      args: ['--', 'no-such-program'],
      want: { code: 127, stderr: /^timonier: no-such-program: command not found\n$/ },
    },
    { name: 'no program', args: ['--', main], want: { code: 126, stderr: /^timonier: \S+main.ts can't be run: / } },
    {
      name: 'a directory',
      args: ['--', import.meta.dirname],
      want: { code: 126, stderr: /^timonier: \S+ can't be run: it is a directory\n$/ },
    },
    { name: 'no command, in JSON', args: ['--json'], want: { code: 125, stderr: /^\{"event":"failed","code":"bad-usage",.*\}\n$/ } },
    {
      name: 'simulated nodes without a kubelet',
      args: ['--components', 'api-server', '--simulated', '2', '--', 'true'],
      want: { code: 0, stderr: /^timonier: cluster ready in \S+ s, no node: those start with the component kubelet\n$/ },
    },
    {
      name: 'what real nodes need, where there are none',
      args: ['--install', '--', 'true'],
      want: {
        code: 125,
        stderr: /^timonier: --install brings what real nodes need, and there are none\n {2}fix: leave it out, or .*--nodes 1\n$/,
      },
    },
    { name: 'no command', args: [], want: { code: 125, stderr: /^timonier: missing required argument 'COMMAND'\n {2}fix: / } },
    { name: 'a wrong flag', args: ['--nosuch', '--', 'true'], want: { code: 125, stderr: /^timonier: unknown option '--nosuch'\n/ } },
    {
      name: 'a wrong value',
      args: ['--controllers', 'jobs', '--', 'true'],
      want: { code: 125, stderr: /there is no controller "jobs"\n/ },
    },
    {
      name: 'JSON',
      args: ['--json', '--port', '1x', '--', 'true'],
      want: { code: 125, stderr: /^\{"event":"failed","code":"bad-config",.*\}\n$/ },
    },
    {
      name: 'flags of the command',
      args: ['--json', '--', 'sh', '-c', 'test "$1" = --json', 'x', '--json'],
      want: { code: 0, stderr: /^\{"event":"ready",.*\}\n$/ },
    },
  ];
  for (const { name, args, want } of ends)
    it(`ends with ${name}`, async () => {
      const { code, stdout, stderr } = await run(args);
      assert.deepEqual({ code, stdout }, { code: want.code, stdout: '' }, stderr);
      assert.match(stderr, want.stderr);
      assert.deepEqual(left(), []);
    });

  it('leaves its audit log where it was started', async () => {
    const here = mkdtempSync(join(tmpdir(), 'timonier-ci-audit-'));
    try {
      const policy = join(here, 'policy.yaml');
      writeFileSync(policy, 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n');
      const { ended } = start(['--quiet', '--audit-policy-file', policy, '--', 'true'], { cwd: here });
      assert.deepEqual(await ended, { code: 0, signal: null, stdout: '', stderr: '' });
      assert.match(readFileSync(join(here, 'audit.log'), 'utf8'), /^\{"kind":"Event","apiVersion":"audit\.k8s\.io\/v1"/);
      assert.deepEqual(left(), []);
    } finally {
      rmSync(here, { recursive: true });
    }
  });

  it('has a log on standard error, when asked', async () => {
    const { code, stdout, stderr } = await run(['--quiet', '--log-level', 'debug', '--', 'true']);
    assert.deepEqual([code, stdout], [0, '']);
    assert.match(stderr, /^\{"level":"debug".*\n\{/);
  });

  const signals: readonly { signal: NodeJS.Signals; script: string; want: number }[] = [
    { signal: 'SIGTERM', script: 'trap "exit 5" TERM; echo ready; while :; do read -r line; done', want: 5 },
    { signal: 'SIGINT', script: 'echo ready; exec sleep 1000', want: 130 },
    { signal: 'SIGHUP', script: 'echo ready; exec sleep 1000', want: 129 },
    { signal: 'SIGUSR1', script: 'trap "exit 6" USR1; echo ready; while :; do read -r line; done', want: 6 },
  ];
  for (const { signal, script, want } of signals)
    it(`gets ${signal}`, async () => {
      const { child, ended, said } = start(['--quiet', '--', 'sh', '-c', script], { detached: true });
      await said();
      child.kill(signal);
      assert.equal((await ended).code, want);
      assert.deepEqual(left(), []);
    });

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    it(`takes what it started along when ${signal} ends it`, async () => {
      const script = '(trap "" INT; exec sleep 1000) & echo ready; exec sleep 1000';
      const { child, ended, said } = start(['--quiet', '--', 'sh', '-c', script], { detached: true });
      await said();
      child.kill(signal);
      await ended; // all of them have its output open
      assert.deepEqual(left(), []);
    });

  it('is not started when the start is interrupted', async () => {
    const { child, ended } = start(['--', 'echo', 'started'], { detached: true });
    const changes = watch(place);
    await once(changes, 'change'); // its directory
    changes.close();
    child.kill('SIGINT');
    assert.deepEqual(await ended, { code: 130, signal: null, stdout: '', stderr: 'timonier: Interrupted; nothing is left\n' });
    assert.deepEqual(left(), []);
  });

  it('ends, with all that came of it, when its cluster is killed', async () => {
    const { child, ended, said } = start(['--', 'sh', '-c', 'sh -c "sleep 1000 & echo ready; wait" & wait'], { detached: true });
    await said();
    assert.equal(left().length, 1);
    child.kill('SIGKILL');
    await ended; // all of them have its output open, and the script that cleans up its standard error
    assert.deepEqual(left(), []);
  });

  it('may run beside another', async () => {
    const script = 'grep -o "server: .*" "$KUBECONFIG"; cat >/dev/null';
    const both = [start(['--quiet', '--', 'sh', '-c', script]), start(['--quiet', '--', 'sh', '-c', script])];
    const servers = await Promise.all(both.map(({ said }) => said()));
    assert.equal(new Set(servers).size, 2);
    assert.equal(left().length, 2);
    for (const { child } of both) child.stdin?.end();
    for (const { ended } of both) assert.equal((await ended).code, 0);
    assert.deepEqual(left(), []);
  });

  const script = findProgram('script');
  it('gets Ctrl-C of a terminal once', { skip: script ? false : 'needs script(1)' }, async () => {
    const count = 'n=0; trap "n=\\$((n + 1))" INT; echo ready; read -r line; echo "got $n"';
    const line = [process.execPath, ...words('--quiet', '--', 'bash', '-c', count)].map((word) => `'${word}'`).join(' ');
    const terminal = spawn(script ?? '', ['-qec', line, '/dev/null'], { env: env(), stdio: 'pipe' });
    let shown = '';
    const show = async (text: string): Promise<void> => {
      while (!shown.includes(text)) shown += String((await once(terminal.stdout, 'data'))[0]);
    };
    await show('ready');
    terminal.stdin.write('\x03');
    await show('^C');
    terminal.stdin.write('\n');
    await show('got');
    assert.match(shown, /got 1/);
    await once(terminal, 'close');
    assert.ok(!existsSync(join(place, 'clusters')));
  });
});
