/**
 * Starts one container of a pod: image, configuration, create, start, postStart hook; each step with its events and its
 * reason when it fails (StartError).
 * Upstream: pkg/kubelet/kuberuntime/kuberuntime_container.go (startContainer).
 */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Container, Pod, Secret } from '../../../api/generated/core-v1.ts';
import { ConfigMap, Secret as SecretKind } from '../../../api/generated/kinds.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import { RuntimeError } from '../../runtime/container-runtime.ts';
import type { ContainerConfig, PodSandboxConfig } from '../../runtime/cri-types.ts';
import { killContainer } from '../pod/kill-pod.ts';
import { findContainer, type ObservedPod } from '../pod/observed-pod.ts';
import type { PodContext } from '../pod/pod-context.ts';
import { imageVolumeProblem } from '../volumes/image-volume.ts';
import { readVolumeFile } from '../volumes/read-volume-file.ts';
import type { ReadyVolumes } from '../volumes/volume-manager.ts';
import { containerConfig } from './container-config.ts';
import { containerEnvironment } from './container-environment.ts';
import { containerFieldPath } from './container-identity.ts';
import { containerDevices, containerMounts } from './container-mounts.ts';
import { fileBytesMax } from './env-file.ts';
import { runHook } from './lifecycle-hook.ts';
import { type ImageUser, verifyNonRoot } from './security-context.ts';
import { serviceEnvironment } from './service-environment.ts';
import { StartError } from './start-error.ts';

export interface StartRequest {
  readonly pod: Pod;
  readonly container: Container;
  readonly observed: ObservedPod;
  readonly sandboxID: string;
  readonly sandbox: PodSandboxConfig;
  readonly podIPs: readonly string[];
  readonly volumes: ReadyVolumes;
  readonly secrets: readonly Secret[];
  readonly restartCount: number;
  /** aborted when the pod is to end */
  readonly signal: AbortSignal;
}

export async function startContainer(context: PodContext, request: StartRequest): Promise<void> {
  const { runtime, events } = context;
  const { pod, container, sandboxID, sandbox, signal } = request;
  const fieldPath = containerFieldPath(pod, container.name);
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string): void => events.event(pod, type, reason, message, fieldPath);
  const step = async <T>(reason: string, action: () => Promise<T>): Promise<T> => {
    try {
      return await action();
    } catch (error) {
      signal.throwIfAborted();
      // An image's failure is known by its reason; others by their message.
      const failure = error instanceof StartError ? error : new StartError(reason, messageOf(error));
      tell('Warning', 'Failed', `Error: ${error instanceof StartError ? failure.reason : failure.message}`);
      throw failure;
    }
  };
  await step('CreateContainerConfigError', async () => requireImageVolumes(context, request));
  const imageRef = await step('ErrImagePull', () => pullImages(context, request, fieldPath));
  const config = await step('CreateContainerConfigError', () => makeConfig(context, request, imageRef));
  const containerID = await step('CreateContainerError', () =>
    runtime.createContainer({ podSandboxId: sandboxID, config, sandboxConfig: sandbox }),
  );
  tell('Normal', 'Created', 'Container created');
  await step('RunContainerError', () => runtime.startContainer(containerID));
  tell('Normal', 'Started', 'Container started');
  await runPostStart(context, request, containerID);
}

/** Before anything is pulled for it. */
function requireImageVolumes({ runtimeVersion }: PodContext, { container, volumes }: StartRequest): void {
  const mounted = container.volumeMounts?.find(({ name }) => volumes.get(name)?.image);
  const problem = mounted && imageVolumeProblem(runtimeVersion);
  if (problem !== undefined) throw new Error(`volume "${mounted?.name}": ${problem}`);
}

/** The container's image, and those of its image volumes. */
async function pullImages({ images }: PodContext, request: StartRequest, fieldPath: string): Promise<string> {
  const { pod, container, secrets, sandbox, signal } = request;
  const common = { pod, secrets, sandbox, fieldPath, signal };
  for (const { name } of container.volumeMounts ?? []) {
    const image = request.volumes.get(name)?.image;
    if (image) await images.ensure({ ...common, image: image.image, policy: image.pullPolicy });
  }
  return await images.ensure({ ...common, image: container.image ?? '', policy: container.imagePullPolicy ?? 'IfNotPresent' });
}

async function makeConfig(context: PodContext, request: StartRequest, imageRef: string): Promise<ContainerConfig> {
  const { node, runtime, volumes: manager, random, mounter } = context;
  const { pod, container, volumes, podIPs, restartCount, observed } = request;
  const image = await imageUser(context, container.image ?? '');
  verifyNonRoot(pod, container, image);
  const env = await environment(context, request);
  // a simulated node has no volumes, and its containers no files
  const mounts = context.simulated
    ? []
    : await containerMounts({
        pod,
        container,
        volumes,
        env,
        podIPs,
        clusterDomain: node.clusterDomain,
        podDirectory: manager.podDirectory(pod.metadata.uid),
        random,
        gate: context.gate,
        mounter,
      });
  const target = pod.spec.ephemeralContainers?.find((c) => c.name === container.name)?.targetContainerName;
  const targetID = target ? targetOf(observed, target) : undefined;
  const config = containerConfig({
    pod,
    container,
    image,
    imageRef,
    restartCount,
    env,
    mounts,
    devices: context.simulated ? [] : containerDevices(container, volumes),
    seccompRoot: node.seccompRoot,
    memoryCapacityBytes: node.memoryCapacityBytes,
    targetID,
  });
  const logs = request.sandbox.logDirectory;
  if (!runtime.simulation && logs && config.logPath) await mkdir(dirname(join(logs, config.logPath)), { recursive: true, mode: 0o755 });
  return config;
}

function targetOf(observed: ObservedPod, name: string): string {
  const target = findContainer(observed, name);
  if (!target) throw new Error(`unable to find target container ${name}`);
  if (target.state !== 'running') throw new Error(`target container ${name} is not running`);
  return target.id;
}

async function imageUser({ runtime, simulated }: PodContext, image: string): Promise<ImageUser> {
  if (simulated) return { username: '' };
  const status = await runtime.imageStatus(image);
  if (!status) throw new Error(`image "${image}" not found`);
  if (status.uid) return { uid: status.uid.value, username: '' };
  return status.username ? { username: status.username } : { uid: 0, username: '' };
}

async function environment(context: PodContext, { pod, container, podIPs, volumes }: StartRequest): Promise<ReadonlyMap<string, string>> {
  const { node, objects, simulated } = context;
  const links = pod.spec.enableServiceLinks ?? true;
  return await containerEnvironment({
    pod,
    container: simulated ? withoutFiles(container) : container,
    podIPs,
    hostIPs: node.hostIPs,
    allocatable: node.allocatable(),
    services: simulated ? new Map() : serviceEnvironment(await context.services(), { namespace: pod.metadata.namespace, links }),
    sources: {
      configMap: (namespace, name) => objects.get(ConfigMap, { namespace, name }),
      secret: (namespace, name) => objects.get(SecretKind, { namespace, name }),
      file: (volume, path) => readVolumeFile(volumes, { volume, path, bytesMax: fileBytesMax }, context.gate),
    },
  });
}

/** A simulated container has no files that variables could be read from. */
function withoutFiles(container: Container): Container {
  return container.env ? { ...container, env: container.env.filter((v) => !v.valueFrom?.fileKeyRef) } : container;
}

async function runPostStart(context: PodContext, request: StartRequest, containerID: string): Promise<void> {
  const { pod, container, podIPs, signal } = request;
  const handler = container.lifecycle?.postStart;
  if (!handler) return;
  const target = { pod, container, containerID, podIP: podIPs[0] };
  try {
    await runHook(handler, { ...context, ...target, signal });
  } catch (error) {
    signal.throwIfAborted();
    context.log.info({ why: messageOf(error), pod: pod.metadata.name, container: container.name }, 'postStart hook failed');
    // The message stays out of the event: it may hold secrets.
    context.events.event(pod, 'Warning', 'FailedPostStartHook', 'PostStartHook failed', containerFieldPath(pod, container.name));
    await killContainer(context, target, { reason: 'other', message: 'FailedPostStartHook', signal }).catch((killError: unknown) => {
      if (!(killError instanceof RuntimeError)) throw killError;
      context.log.warn({ error: killError, container: container.name }, 'container not stopped after its postStart hook failed');
    });
    throw new StartError('PostStartHookError', messageOf(error));
  }
}
