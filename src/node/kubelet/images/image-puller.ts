/**
 * Sees to it that an image is there before a container is made: pull policy, credentials, back-off, events. Equal pulls
 * at the same time are one.
 * Upstream: pkg/kubelet/images/image_manager.go.
 */
import type { Pod, Secret } from '../../../api/generated/core-v1.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import type { Clock } from '../../../client/clock.ts';
import type { EventRecorder } from '../../../client/events/event-recorder.ts';
import { type ContainerRuntime, RuntimeError } from '../../runtime/container-runtime.ts';
import type { AuthConfig, PodSandboxConfig } from '../../runtime/cri-types.ts';
import { imageName } from '../../runtime/image-name.ts';
import { type BackOffEntry, backOffUntil, describeDuration, nextBackOff } from '../back-off.ts';
import { StartError } from '../container/start-error.ts';
import { credentialsFor } from './registry-credentials.ts';

export interface ImageRequest {
  readonly pod: Pod;
  readonly image: string;
  readonly policy: 'Always' | 'IfNotPresent' | 'Never';
  readonly secrets: readonly Secret[];
  readonly sandbox: PodSandboxConfig;
  /** for events: `spec.containers{web}` */
  readonly fieldPath: string;
  readonly signal: AbortSignal;
}

export interface ImagePullerOptions {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly events: EventRecorder;
}

interface Failure {
  readonly entry: BackOffEntry;
  readonly message: string;
}

/** How many failed pulls are remembered. */
const failuresMax = 1000;
/** After a failed pull the pod is looked at again soon, to be shown as waiting. */
const lookAgainMs = 1000;

export class ImagePuller {
  readonly #options: ImagePullerOptions;
  readonly #failures = new Map<string, Failure>();
  readonly #running = new Map<string, Promise<string>>();

  constructor(options: ImagePullerOptions) {
    this.#options = options;
  }

  /** The image's reference. Throws StartError: ErrImagePull, ImagePullBackOff, ErrImageNeverPull, … */
  async ensure(request: ImageRequest): Promise<string> {
    const { pod, image, policy, fieldPath } = request;
    const { runtime, events } = this.#options;
    const name = withDefaultTag(image);
    if (name === undefined) {
      const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format`;
      events.event(pod, 'Warning', 'InspectFailed', message, fieldPath);
      throw new StartError('InvalidImageName', message);
    }
    if (policy !== 'Always') {
      const present = await runtime.imageStatus(name).catch((error: unknown) => {
        const message = `Failed to inspect image "${name}": ${messageOf(error)}`;
        events.event(pod, 'Warning', 'InspectFailed', message, fieldPath);
        throw new StartError('ImageInspectError', message);
      });
      if (present) {
        events.event(
          pod,
          'Normal',
          'Pulled',
          `Container image "${image}" already present on machine and can be accessed by the pod`,
          fieldPath,
        );
        return present.id;
      }
      if (policy === 'Never') {
        const message = `Container image "${image}" is not present with pull policy of Never`;
        events.event(pod, 'Warning', 'ErrImageNeverPull', message, fieldPath);
        throw new StartError('ErrImageNeverPull', message);
      }
    }
    return await this.#pull(request, name);
  }

  forget(podUID: string): void {
    for (const key of this.#failures.keys()) if (key.startsWith(`${podUID}_`)) this.#failures.delete(key);
  }

  async #pull({ pod, image, secrets, sandbox, fieldPath, signal }: ImageRequest, name: string): Promise<string> {
    const { clock, events, runtime } = this.#options;
    const key = `${pod.metadata.uid}_${image}`;
    const failure = this.#failures.get(key);
    const nowMs = clock.now();
    const untilMs = failure && backOffUntil(failure.entry, { endedAtMs: failure.entry.updatedAtMs, nowMs });
    if (failure && untilMs !== undefined) {
      const message = `Back-off pulling image "${image}"`;
      events.event(pod, 'Normal', 'BackOff', message, fieldPath);
      throw new StartError('ImagePullBackOff', `${message}: ${failure.message}`, untilMs);
    }
    events.event(pod, 'Normal', 'Pulling', `Pulling image "${image}"`, fieldPath);
    const startedMs = clock.monotonic();
    let pulledMs = startedMs;
    try {
      const reference = await this.#pullOnce(
        name,
        credentialsFor(name, secrets),
        sandbox,
        () => {
          pulledMs = clock.monotonic();
        },
        signal,
      );
      this.#failures.delete(key);
      const size = (await runtime.imageStatus(name))?.size ?? 0;
      const took = describeDuration(Math.trunc(clock.monotonic() - pulledMs));
      const waited = describeDuration(Math.trunc(clock.monotonic() - startedMs));
      events.event(
        pod,
        'Normal',
        'Pulled',
        `Successfully pulled image "${image}" in ${took} (${waited} including waiting). Image size: ${size} bytes.`,
        fieldPath,
      );
      return reference;
    } catch (error) {
      signal.throwIfAborted();
      const message = describePullError(image, error);
      events.event(pod, 'Warning', 'Failed', `Failed to pull image "${image}": ${message.text}`, fieldPath);
      if (this.#failures.size >= failuresMax) this.#failures.clear();
      const at = { endedAtMs: clock.now(), nowMs: clock.now() };
      this.#failures.set(key, { entry: nextBackOff(failure?.entry, at), message: `${message.reason}: ${message.text}` });
      throw new StartError(message.reason, message.text, clock.now() + lookAgainMs);
    }
  }

  async #pullOnce(
    name: string,
    credentials: readonly AuthConfig[],
    sandboxConfig: PodSandboxConfig,
    onStart: () => void,
    signal: AbortSignal,
  ): Promise<string> {
    const { runtime } = this.#options;
    if (credentials.length === 0) {
      const running = this.#running.get(name);
      if (running) return await running;
      onStart();
      const pull = runtime.pullImage({ image: name }, { sandboxConfig, signal }).finally(() => this.#running.delete(name));
      this.#running.set(name, pull);
      return await pull;
    }
    onStart();
    let last: unknown;
    for (const auth of credentials) {
      try {
        return await runtime.pullImage({ image: name }, { auth, sandboxConfig, signal });
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }
}

function describePullError(image: string, error: unknown): { readonly reason: string; readonly text: string } {
  const text = error instanceof RuntimeError ? `rpc error: code = ${error.code} desc = ${error.message}` : String(error);
  for (const [reason, why] of [
    ['RegistryUnavailable', 'the registry is unavailable'],
    ['SignatureValidationFailed', 'the signature validation failed'],
  ] as const) {
    if (error instanceof Error && error.message.startsWith(reason)) {
      return { reason, text: `image pull failed for ${image} because ${why}${error.message.slice(reason.length)}` };
    }
  }
  return { reason: 'ErrImagePull', text };
}

/** With `:latest` where there is neither tag nor digest; undefined for what is no image name. */
export function withDefaultTag(image: string): string | undefined {
  const match = imageName.exec(image);
  if (!match?.groups) return /^sha256:[0-9a-f]{64}$/.test(image) ? image : undefined;
  return match.groups['tag'] || match.groups['digest'] ? image : `${image}:latest`;
}
