/** `timonier ci` with a real node: what it leaves on the machine is nothing, however it ends. In namespaces of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { before, describe } from 'node:test';
import { commandLine, processIds, processStat } from '../../src/client/processes.ts';
import { machineState } from './machine-state.ts';
import { inSteps, invoke, OwnCluster } from './own-cluster.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const words = (...args: string[]): string[] => ['--disable-warning=ExperimentalWarning', main, 'ci', '--nodes', '1', ...args];
const root = '/var/lib/timonier-ci-test';
const temporary = '/var/lib/timonier-ci-tmp';

function aCommandOnARealNode(): void {
  describe('a command with a cluster of a real node', () => {
    const step = inSteps();
    let kubectl = '';
    const env = { TIMONIER_ROOT: root, TMPDIR: temporary };
    const state = () => ({
      ...machineState([root, temporary]),
      clusters: readdirSync(root),
      temporary: readdirSync(temporary),
    });
    let stateBefore: ReturnType<typeof state>;

    before(async () => {
      kubectl = (await OwnCluster.named('unused')).kubectlProgram;
      for (const dir of [root, temporary]) mkdirSync(dir);
      stateBefore = state();
    });

    step('has it, and leaves nothing', async () => {
      const ask = `'${kubectl}' get nodes -o 'jsonpath={.items[*].metadata.name} {.items[*].status.nodeInfo.containerRuntimeVersion}'; exit 3`;
      const { code, stdout, stderr } = await invoke(process.execPath, words('--', 'sh', '-c', ask), { env });
      assert.equal(code, 3, stderr);
      assert.match(stdout, /^ci-\w+-1 containerd:\/\//);
      assert.match(stderr, /^timonier: cluster ready in \d+\.\d s, 1 real\n$/);
      assert.deepEqual(state(), stateBefore);
    });

    step('finds it by timonier’s own verbs, without its name', async () => {
      const timonier = `'${process.execPath}' --disable-warning=ExperimentalWarning '${main}'`;
      const verbs = ['status', 'kubeconfig', 'logs', 'image ls', 'kubectl get nodes', `example bakery "$TIMONIER_CI/bakery"`, 'up'];
      const script = ['set -e', ...verbs.map((verb) => `${timonier} ${verb}`), `${timonier} watch --all | head -n 1`].join('\n');
      const { code, stdout, stderr } = await invoke(process.execPath, words('--', 'sh', '-c', script), { env });
      assert.equal(code, 0, stderr);
      for (const want of [
        /^Cluster: +ci-\w+/m,
        /^apiVersion: v1$/m,
        /"msg":"the cluster is ready"/,
        /^IMAGE /m,
        /^ci-\w+-1 +Ready/m,
        /^loaded bakery:/m,
      ])
        assert.match(stdout, want);
      assert.deepEqual(state(), stateBefore);
    });

    step('tells its log, when it was asked for, however it ends', async () => {
      for (const [flags, want] of [
        [['--log-level', 'info'], /^timonier: cluster ready in [^\n]+\n(\{.*\}\n)*\{[^\n]*"msg":"the cluster is ready"\}\n/],
        [['--log-level', 'debug', '--timeout', '0.1'], /^\{[^\n]*"msg":"the cluster did not start"\}\ntimonier: not ready after/m],
      ] as const)
        assert.match((await invoke(process.execPath, words(...flags, '--', 'true'), { env })).stderr, want);
      assert.deepEqual(state(), stateBefore);
    });

    step('says why there is none', async () => {
      const { code, stdout, stderr } = await invoke(process.execPath, words('--timeout', '0.1', '--', 'true'), { env });
      assert.deepEqual({ code, stdout }, { code: 125, stdout: '' });
      assert.match(stderr, /^timonier: not ready after 0.1 s/);
      assert.deepEqual(state(), stateBefore);
    });

    for (const moment of ['starts', 'runs'] as const)
      step(`leaves nothing when it is killed while it ${moment}`, async () => {
        const child = spawn(process.execPath, words('--quiet', '--', 'sh', '-c', 'echo ready; exec sleep 1000'), {
          env: { ...process.env, ...env },
          stdio: ['ignore', 'pipe', 'pipe'],
          detached: true,
        });
        if (moment === 'runs') await once(child.stdout, 'data');
        else await untilThere(root, (name) => existsSync(join(root, name, 'nodes', '1')));
        const over = once(child, 'close'); // the script that cleans up has its standard error, too
        child.stdout.resume();
        child.stderr.pipe(process.stderr);
        child.kill('SIGKILL');
        await over;
        assert.deepEqual(state(), stateBefore);
      });

    step('stays when what cleans up is killed, too; list says so, and delete ends all of it', async () => {
      const child = spawn(process.execPath, words('--quiet', '--', 'sh', '-c', 'echo ready; exec sleep 1000'), {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      });
      await once(child.stdout, 'data');
      const isGuard = (pid: number): boolean =>
        processStat(pid)?.parent === child.pid && commandLine(pid)[1]?.endsWith('ci-guard.sh') === true;
      const guard = processIds().find(isGuard) ?? assert.fail('no guard');
      const over = once(child, 'close'); // its command has its output open
      for (const pid of [guard, child.pid ?? 0]) process.kill(pid, 'SIGKILL');
      await once(child, 'exit');
      child.stdout.resume();
      const timonier = (...args: string[]) => invoke(process.execPath, [...words().slice(0, 2), ...args], { env });
      const [, name = ''] =
        /^(ci-\w+) +running, its ci was killed /m.exec((await timonier('list')).stdout) ?? assert.fail('not in the list');
      const status = await timonier('status', name);
      assert.equal(status.code, 1);
      assert.match(status.stdout, new RegExp(`the \`timonier ci\` that made it was killed[\\s\\S]*timonier delete ${name}`));
      const deleted = await timonier('delete', name);
      assert.deepEqual([deleted.code, deleted.stderr], [0, '']);
      await over;
      assert.deepEqual(state(), stateBefore);
    });
  });
}

async function untilThere(dir: string, isIt: (name: string) => boolean): Promise<void> {
  const changes = watch(dir, { recursive: true });
  try {
    while (!readdirSync(dir).some(isIt)) await once(changes, 'change');
  } finally {
    changes.close();
  }
}

if (inOwnNamespaces(import.meta.url)) aCommandOnARealNode();
