/**
 * A container runtime over CRI: gRPC on a unix socket.
 *
 * Guarantees: every call has a deadline (pulls and `execSync` without a limit apart); failures are `RuntimeError`s with
 * the runtime's own message; when the runtime restarts, calls fail with Unavailable until it is back, and then work
 * again on the same client.
 * Deliberately without the list streams of CRI 1.36 (StreamContainers, …): containerd does not serve them.
 * Upstream: cri-client/pkg/remote_runtime.go, remote_image.go.
 */

import type { Client as GrpcClient, ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import { loadServices, withoutNulls } from '../../client/transport/grpc-services.ts';
import {
  type AttachRequest,
  type CallOptions,
  type ContainerRuntime,
  type CreateContainerRequest,
  type ExecRequest,
  type ExecSyncRequest,
  isRuntimeError,
  type PullOptions,
  RuntimeError,
  type RuntimeEvent,
} from './container-runtime.ts';
import { subscribeToContainerd } from './containerd-events.ts';
import { toRuntimeError } from './cri-codec.ts';
import type * as cri from './cri-types.ts';
import { relistedEvents } from './relisted-events.ts';

export interface CriClientOptions {
  /** path of the unix socket */
  readonly socket: string;
  readonly clock: Clock;
  readonly log: Log;
  /** What to answer for `cgroupDriver` when the runtime is too old to say. */
  readonly cgroupDriver?: 'systemd' | 'cgroupfs';
}

const timeoutMsDefault = 120_000;
const messageBytesMax = 16 * 2 ** 20;
const reconnectMsMin = 50;
const reconnectMsMax = 1000;

const runtimeService = 'runtime.v1.RuntimeService';
const imageService = 'runtime.v1.ImageService';

type Unary = (
  request: object,
  options: { readonly deadline?: number },
  callback: (error: ServiceError | null, response: unknown) => void,
) => { cancel(): void };

export async function createCriClient(options: CriClientOptions): Promise<CriClient> {
  const [{ credentials }, descriptor] = await Promise.all([
    import('@grpc/grpc-js'),
    import('./data/cri-v1.json', { with: { type: 'json' } }),
  ]);
  const services = await loadServices(descriptor.default, [runtimeService, imageService]);
  const address = `unix:${options.socket}`;
  const channelOptions = {
    'grpc.max_receive_message_length': messageBytesMax,
    'grpc.initial_reconnect_backoff_ms': reconnectMsMin,
    'grpc.max_reconnect_backoff_ms': reconnectMsMax,
    'grpc.enable_retries': 0,
  };
  const runtime = new services[runtimeService](address, credentials.createInsecure(), channelOptions);
  const images = new services[imageService](address, credentials.createInsecure(), channelOptions);
  return new CriClient(options, runtime, images);
}

export class CriClient implements ContainerRuntime {
  readonly #options: CriClientOptions;
  readonly #clients: { readonly runtime: GrpcClient; readonly images: GrpcClient };
  readonly #closed = new AbortController();

  constructor(options: CriClientOptions, runtime: GrpcClient, images: GrpcClient) {
    this.#options = options;
    this.#clients = { runtime, images };
  }

  version(options?: CallOptions): Promise<cri.VersionResponse> {
    return this.#call('runtime', 'Version', { version: '0.1.0' }, options);
  }

  async status(options?: CallOptions): Promise<cri.RuntimeStatus> {
    const answer = await this.#call<{
      readonly status?: { readonly conditions: readonly cri.RuntimeCondition[] };
      readonly runtimeHandlers: readonly cri.RuntimeHandler[];
      readonly features?: { readonly supplementalGroupsPolicy: boolean };
    }>('runtime', 'Status', {}, options);
    const { status, runtimeHandlers, features } = answer;
    return { conditions: status?.conditions ?? [], runtimeHandlers, ...(features && { features }) };
  }

  async cgroupDriver(options?: CallOptions): Promise<'systemd' | 'cgroupfs'> {
    const configured = this.#options.cgroupDriver ?? 'cgroupfs';
    try {
      const answer = await this.#call<{ readonly linux?: { readonly cgroupDriver: string } }>('runtime', 'RuntimeConfig', {}, options);
      return answer.linux ? (answer.linux.cgroupDriver === 'SYSTEMD' ? 'systemd' : 'cgroupfs') : configured;
    } catch (error) {
      if (isRuntimeError(error, 'Unimplemented')) return configured;
      throw error;
    }
  }

  async updatePodCidr(podCidr: string, options?: CallOptions): Promise<void> {
    await this.#call('runtime', 'UpdateRuntimeConfig', { runtimeConfig: { networkConfig: { podCidr } } }, options);
  }

  async runPodSandbox(config: cri.PodSandboxConfig, options: CallOptions & { readonly runtimeHandler?: string } = {}): Promise<string> {
    const request = { config, runtimeHandler: options.runtimeHandler ?? '' };
    const { podSandboxId } = await this.#call<{ readonly podSandboxId: string }>('runtime', 'RunPodSandbox', request, options);
    return podSandboxId;
  }

  async stopPodSandbox(podSandboxId: string, options?: CallOptions): Promise<void> {
    await ignoringNotFound(this.#call('runtime', 'StopPodSandbox', { podSandboxId }, options));
  }

  async removePodSandbox(podSandboxId: string, options?: CallOptions): Promise<void> {
    await ignoringNotFound(this.#call('runtime', 'RemovePodSandbox', { podSandboxId }, options));
  }

  async podSandboxStatus(podSandboxId: string, options?: CallOptions): Promise<cri.PodSandboxStatus> {
    const { status } = await this.#call<{ readonly status?: cri.PodSandboxStatus }>(
      'runtime',
      'PodSandboxStatus',
      { podSandboxId },
      options,
    );
    if (!status) throw new RuntimeError('Internal', `the runtime gave no status for sandbox ${podSandboxId}`);
    return status;
  }

  async listPodSandbox(filter: cri.PodSandboxFilter = {}, options?: CallOptions): Promise<readonly cri.PodSandbox[]> {
    const { items } = await this.#call<{ readonly items: readonly cri.PodSandbox[] }>('runtime', 'ListPodSandbox', { filter }, options);
    return items;
  }

  async createContainer(request: CreateContainerRequest, options?: CallOptions): Promise<string> {
    const { containerId } = await this.#call<{ readonly containerId: string }>('runtime', 'CreateContainer', request, options);
    return containerId;
  }

  async startContainer(containerId: string, options?: CallOptions): Promise<void> {
    await this.#call('runtime', 'StartContainer', { containerId }, options);
  }

  async stopContainer(containerId: string, gracePeriodSeconds: number, options?: CallOptions): Promise<void> {
    const timeoutMs = options?.timeoutMs ?? gracePeriodSeconds * 1000 + timeoutMsDefault;
    const request = { containerId, timeout: gracePeriodSeconds };
    await ignoringNotFound(this.#call('runtime', 'StopContainer', request, { ...options, timeoutMs }));
  }

  async removeContainer(containerId: string, options?: CallOptions): Promise<void> {
    await ignoringNotFound(this.#call('runtime', 'RemoveContainer', { containerId }, options));
  }

  async listContainers(filter: cri.ContainerFilter = {}, options?: CallOptions): Promise<readonly cri.Container[]> {
    const { containers } = await this.#call<{ readonly containers: readonly cri.Container[] }>(
      'runtime',
      'ListContainers',
      { filter },
      options,
    );
    return containers;
  }

  async containerStatus(containerId: string, options?: CallOptions): Promise<cri.ContainerStatus> {
    const { status } = await this.#call<{ readonly status?: cri.ContainerStatus }>('runtime', 'ContainerStatus', { containerId }, options);
    if (!status) throw new RuntimeError('Internal', `the runtime gave no status for container ${containerId}`);
    return status;
  }

  async updateContainerResources(containerId: string, linux: cri.LinuxContainerResources, options?: CallOptions): Promise<void> {
    await this.#call('runtime', 'UpdateContainerResources', { containerId, linux }, options);
  }

  async reopenContainerLog(containerId: string, options?: CallOptions): Promise<void> {
    await this.#call('runtime', 'ReopenContainerLog', { containerId }, options);
  }

  execSync({ containerId, cmd, timeoutSeconds }: ExecSyncRequest, options: CallOptions = {}): Promise<cri.ExecSyncResponse> {
    // the runtime's own time-out comes first, since its message is the better one
    const timeoutMs = options.timeoutMs ?? (timeoutSeconds > 0 ? timeoutSeconds * 1000 + timeoutMsDefault : 0);
    return this.#call('runtime', 'ExecSync', { containerId, cmd, timeout: timeoutSeconds }, { ...options, timeoutMs });
  }

  async exec(request: ExecRequest, options?: CallOptions): Promise<string> {
    return (await this.#call<{ readonly url: string }>('runtime', 'Exec', request, options)).url;
  }

  async attach(request: AttachRequest, options?: CallOptions): Promise<string> {
    return (await this.#call<{ readonly url: string }>('runtime', 'Attach', request, options)).url;
  }

  async portForward(podSandboxId: string, port: readonly number[], options?: CallOptions): Promise<string> {
    return (await this.#call<{ readonly url: string }>('runtime', 'PortForward', { podSandboxId, port }, options)).url;
  }

  async containerStats(containerId: string, options?: CallOptions): Promise<cri.ContainerStats> {
    const { stats } = await this.#call<{ readonly stats?: cri.ContainerStats }>('runtime', 'ContainerStats', { containerId }, options);
    if (!stats) throw new RuntimeError('NotFound', `the runtime gave no figures for container ${containerId}`);
    return stats;
  }

  async listContainerStats(filter: cri.ContainerStatsFilter = {}, options?: CallOptions): Promise<readonly cri.ContainerStats[]> {
    const { stats } = await this.#call<{ readonly stats: readonly cri.ContainerStats[] }>(
      'runtime',
      'ListContainerStats',
      { filter },
      options,
    );
    return stats;
  }

  async podSandboxStats(podSandboxId: string, options?: CallOptions): Promise<cri.PodSandboxStats> {
    const { stats } = await this.#call<{ readonly stats?: cri.PodSandboxStats }>('runtime', 'PodSandboxStats', { podSandboxId }, options);
    if (!stats) throw new RuntimeError('NotFound', `the runtime gave no figures for sandbox ${podSandboxId}`);
    return stats;
  }

  async listImages(options?: CallOptions): Promise<readonly cri.Image[]> {
    return (await this.#call<{ readonly images: readonly cri.Image[] }>('images', 'ListImages', {}, options)).images;
  }

  async imageStatus(image: string, options?: CallOptions): Promise<cri.Image | undefined> {
    return (await this.#call<{ readonly image?: cri.Image }>('images', 'ImageStatus', { image: { image } }, options)).image;
  }

  async pullImage(image: cri.ImageSpec, { auth, sandboxConfig, ...options }: CallOptions & PullOptions = {}): Promise<string> {
    const request = { image, ...(auth && { auth }), ...(sandboxConfig && { sandboxConfig }) };
    const { imageRef } = await this.#call<{ readonly imageRef: string }>('images', 'PullImage', request, { timeoutMs: 0, ...options });
    return imageRef;
  }

  async removeImage(image: string, options?: CallOptions): Promise<void> {
    await ignoringNotFound(this.#call('images', 'RemoveImage', { image: { image } }, options));
  }

  async imageFsInfo(options?: CallOptions): Promise<readonly cri.FilesystemUsage[]> {
    const answer = await this.#call<{ readonly imageFilesystems: readonly cri.FilesystemUsage[] }>('images', 'ImageFsInfo', {}, options);
    return answer.imageFilesystems;
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    const { clock, log, socket } = this.#options;
    return relistedEvents({
      runtime: this,
      clock,
      log,
      hints: (until) => subscribeToContainerd(socket, until),
      signal: AbortSignal.any([signal, this.#closed.signal]),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.#clients.runtime.close();
    this.#clients.images.close();
  }

  /** A `timeoutMs` of 0 means no deadline. */
  #call<Response>(service: 'runtime' | 'images', method: string, request: object, options: CallOptions = {}): Promise<Response> {
    const { signal, timeoutMs = timeoutMsDefault } = options;
    const client = this.#clients[service];
    const unary = Reflect.get(client, method) as Unary | undefined;
    if (!unary) return Promise.reject(new RuntimeError('Unimplemented', `unknown method ${method}`));
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => call.cancel();
      const deadline = timeoutMs > 0 ? { deadline: this.#options.clock.now() + timeoutMs } : {};
      const call = unary.call(client, request, deadline, (error, response) => {
        signal?.removeEventListener('abort', onAbort);
        if (!error) resolve(withoutNulls(response) as Response);
        else reject(signal?.aborted ? signal.reason : toRuntimeError(error));
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

async function ignoringNotFound(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isRuntimeError(error, 'NotFound')) throw error;
  }
}
