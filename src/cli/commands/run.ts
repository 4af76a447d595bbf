/** `timonier run`: a cluster in the foreground, logs to the terminal; what systemd, containers and `up` start. */
import { flushCompileCache } from 'node:module';
import type { Command } from 'commander';
import { realClock } from '../../client/clock.ts';
import { Instance } from '../../cluster/instance.ts';
import { createLog } from '../../cluster/logging.ts';
import { describeError, OperationError } from '../../cluster/operation-error.ts';
import { version } from '../../cluster/version.ts';
import { tellParent } from '../daemon.ts';
import { placeKubeconfig } from '../user-kubeconfig.ts';
import { addClusterFlags, type ClusterFlags, configFrom, timeoutMsFrom } from './cluster-flags.ts';

export function addRun(program: Command): void {
  addClusterFlags(program.command('run').description('run a cluster in the foreground')).action(
    async (name: string, flags: ClusterFlags) => {
      const instance = new Instance(name, flags.dataDir);
      const running = instance.running();
      if (running) {
        throw new OperationError({
          code: 'already-running',
          message: `cluster "${name}" runs already (process ${running.pid})`,
          fix: `timonier down ${name}`,
        });
      }
      await runForeground(instance, flags);
    },
  );
}

async function runForeground(instance: Instance, flags: ClusterFlags): Promise<void> {
  const log = await createLog({
    level: flags.logLevel,
    format: process.stdout.isTTY ? 'text' : 'json',
    clock: realClock,
    write: (line) => void process.stdout.write(line),
  });
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    log.info({ signal }, 'stopping');
    stop.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  let phase = 'start';
  try {
    const config = await configFrom(flags);
    instance.create();
    const { startCluster } = await import('../../cluster/start-cluster.ts');
    await using cluster = await startCluster({
      ...config,
      name: instance.name,
      dataDir: instance.dir,
      log,
      signal: stop.signal,
      timeoutMs: timeoutMsFrom(flags),
      onPhase: (report) => {
        phase = report.phase;
        log.info({ durationMs: Math.round(report.durationMs), ...(report.note && { note: report.note }) }, report.phase);
        tellParent({ type: 'phase', ...report });
      },
    });
    const placed = await placeKubeconfig(instance, cluster.kubeconfig, flags.kubeconfig);
    instance.writeState({
      pid: process.pid,
      server: cluster.server,
      startedAt: new Date(realClock.now()).toISOString(),
      nodes: cluster.nodes,
      hollow: cluster.hollow,
      version,
      ready: true,
      ...placed,
    });
    log.info({ server: cluster.server, ...placed }, 'ready');
    tellParent({ type: 'ready' });
    flushCompileCache(); // not only when it ends: it may run for months, and the next start is to be quick
    if (!stop.signal.aborted) await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }));
  } catch (error) {
    if (stop.signal.aborted) return;
    log.error({ error, phase }, 'the cluster did not start');
    const known = error instanceof OperationError ? error : undefined;
    tellParent({
      type: 'failed',
      phase: `after phase "${phase}"`,
      code: known?.code ?? 'failed',
      message: describeError(error),
      fix: known?.fix ?? `see ${instance.logFile}, and \`timonier doctor\``,
    });
    process.exitCode = 1;
  } finally {
    instance.clearState();
    if (process.connected) process.disconnect?.();
  }
}
