/**
 * A containerd of our own: its root, state, socket and configuration are below one data directory, so the machine's
 * other containers are not touched.
 *
 * Guarantees: when `start` resolves, the CRI answers and the pause image is there. When containerd dies it is started
 * again; containers keep running meanwhile under their shims, and are found again. `stop` leaves containers running;
 * `removePods` ends them; `removeContainerd` afterwards leaves no process, mount, network namespace, cgroup or file.
 * Pods have a network as soon as a CNI configuration is written into `paths.cniConfDir` (src/node/network/cni.ts).
 * Deliberately without the systemd cgroup driver unless asked for: it needs systemd's own hand in every pod's cgroup.
 */
import { existsSync, watch } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../../client/clock.ts';
import { replaceFile } from '../../client/files/replace-file.ts';
import type { Log } from '../../client/log.ts';
import type { ContainerRuntime } from './container-runtime.ts';
import {
  type ContainerdPaths,
  containerdPaths,
  containerdWords,
  renderContainerdConfig,
  renderRegistryHosts,
} from './containerd-config.ts';
import { createCriClient } from './cri-client.ts';
import { ImageLoader, pauseImage } from './images.ts';
import { KeptProcess } from './kept-process.ts';
import { describeWeaknesses, weaknessesOf } from './known-weaknesses.ts';
import { detectSupport } from './machine-support.ts';

export interface ContainerdOptions {
  readonly dataDir: string;
  /** directory with the standard CNI plugins */
  readonly cniPluginDir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** path of the network namespace that it runs in; default: the one of this process, which streams need */
  readonly netns?: string;
  /** default: found by PATH */
  readonly programs?: { readonly containerd?: string; readonly ctr?: string };
  readonly cgroupDriver?: 'systemd' | 'cgroupfs';
  /** gives up a start that is under way */
  readonly signal?: AbortSignal;
  /** URLs to ask before the registry itself, by registry */
  readonly registryMirrors?: Readonly<Record<string, readonly string[]>>;
}

const readyMsMax = 30_000;
const retryMs = 20;

export class Containerd implements AsyncDisposable {
  readonly paths: ContainerdPaths;
  readonly runtime: ContainerRuntime;
  readonly #process: KeptProcess;
  readonly #images: ImageLoader;

  private constructor(parts: { paths: ContainerdPaths; runtime: ContainerRuntime; process: KeptProcess; images: ImageLoader }) {
    this.paths = parts.paths;
    this.runtime = parts.runtime;
    this.#process = parts.process;
    this.#images = parts.images;
  }

  static async start(options: ContainerdOptions): Promise<Containerd> {
    const { clock, log, netns, cgroupDriver = 'cgroupfs' } = options;
    const program = options.programs?.containerd ?? 'containerd';
    const paths = containerdPaths(options.dataDir);
    const support = await detectSupport({ containerd: program, dir: options.dataDir });
    const { containerdVersion: version, runcVersion, snapshotter, canLowerOomScore } = support;
    const weak = [...weaknessesOf('containerd', version.text), ...weaknessesOf('runc', runcVersion)];
    if (weak.length > 0) {
      const known = describeWeaknesses(weak);
      log.warn(
        { containerd: version.text, runc: runcVersion, known },
        'containers can use known weaknesses of the runtime: bring it up to date',
      );
    }
    await writeConfiguration(
      options,
      paths,
      renderContainerdConfig({ ...options, paths, version, pauseImage, snapshotter, canLowerOomScore, cgroupDriver }),
    );
    log.debug({ containerd: version.text, snapshotter, canLowerOomScore, cgroupDriver }, 'starting containerd');
    const containerd = [program, ...containerdWords(paths)] as const;
    await rm(paths.socket, { force: true });
    const giveUp = new AbortController();
    const onAbort = (): void => giveUp.abort(options.signal?.reason);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const socketMade = whenMade(paths.socket, { clock, signal: giveUp.signal });
    const process = await KeptProcess.start({
      name: 'containerd',
      command: netns === undefined ? [...containerd] : ['nsenter', `--net=${netns}`, ...containerd],
      mark: containerdWords(paths),
      logFile: paths.log,
      clock,
      log,
    });
    // loading gRPC takes as long as containerd does
    const runtime = await createCriClient({ socket: paths.socket, clock, log, cgroupDriver });
    const images = new ImageLoader({
      socket: paths.socket,
      ctr: options.programs?.ctr ?? 'ctr',
      snapshotter,
      runtime,
      clock,
    });
    const ready = async (): Promise<void> => {
      await socketMade;
      await answers(runtime, { clock, signal: giveUp.signal });
      giveUp.signal.throwIfAborted();
      await images.ensurePauseImage();
    };
    try {
      await Promise.race([ready(), process.died.then(() => Promise.reject(new Error('it ended')))]);
    } catch (error) {
      giveUp.abort();
      await runtime[Symbol.asyncDispose]();
      await process.stop();
      throw new Error(`containerd does not start: ${await lastLine(paths.log)} (its log is ${paths.log})`, { cause: error });
    } finally {
      options.signal?.removeEventListener('abort', onAbort);
    }
    return new Containerd({ paths, runtime, process, images });
  }

  /** The process id, which changes when it is started again. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Takes an OCI or docker archive; gives the full names of its images. */
  loadImage(archive: Buffer): Promise<readonly string[]> {
    return this.#images.loadAll(archive);
  }

  /** Ends every pod, at once. */
  async removePods(): Promise<void> {
    const sandboxes = await this.runtime.listPodSandbox();
    const results = await Promise.allSettled(
      sandboxes.map(async ({ id }) => {
        await this.runtime.stopPodSandbox(id);
        await this.runtime.removePodSandbox(id);
      }),
    );
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    if (errors.length > 0) throw new AggregateError(errors, 'pods that can not be removed');
  }

  /** Containers keep running. */
  async stop(): Promise<void> {
    await this.runtime[Symbol.asyncDispose]();
    await this.#process.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function writeConfiguration({ registryMirrors = {} }: ContainerdOptions, paths: ContainerdPaths, config: string): Promise<void> {
  for (const dir of [paths.root, paths.state, paths.cniConfDir, paths.registryDir]) await mkdir(dir, { recursive: true, mode: 0o700 });
  replaceFile(paths.config, config);
  for (const [registry, mirrors] of Object.entries(registryMirrors)) {
    const dir = join(paths.registryDir, registry);
    await mkdir(dir, { recursive: true });
    replaceFile(join(dir, 'hosts.toml'), renderRegistryHosts(registry, mirrors));
  }
}

interface Patience {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Resolves when the file is there; the directory must exist. */
function whenMade(file: string, { clock, signal }: Patience): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      watcher.close();
      timer.cancel();
      if (error) reject(error);
      else resolve();
    };
    const timer = clock.setTimeout(() => settle(new Error(`no socket after ${readyMsMax} ms`)), readyMsMax);
    const watcher = watch(dirname(file), () => existsSync(file) && settle());
    watcher.on('error', settle);
    signal.addEventListener('abort', () => settle(), { once: true });
  });
}

/** The socket is there a little before the CRI plugin answers on it. */
async function answers(runtime: ContainerRuntime, { clock, signal }: Patience): Promise<void> {
  const endMs = clock.monotonic() + readyMsMax;
  while (!signal.aborted) {
    try {
      const { conditions } = await runtime.status({ timeoutMs: readyMsMax });
      if (conditions.some(({ type, status }) => type === 'RuntimeReady' && status)) return;
    } catch (error) {
      if (clock.monotonic() > endMs) throw error;
    }
    await clock.sleep(retryMs);
  }
}

async function lastLine(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').at(-1) ?? '';
}
