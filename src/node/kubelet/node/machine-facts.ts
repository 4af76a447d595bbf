/**
 * What this machine is and has, as the node tells it. Upstream: pkg/kubelet/nodestatus/setters.go (MachineInfo), cadvisor.
 */
import { readFile, statfs } from 'node:fs/promises';
import { arch, availableParallelism, hostname, release, totalmem } from 'node:os';
import type { NodeSystemInfo } from '../../../api/generated/core-v1.ts';

export interface MachineFacts {
  readonly hostname: string;
  readonly info: Omit<NodeSystemInfo, 'containerRuntimeVersion' | 'kubeletVersion' | 'kubeProxyVersion'>;
  readonly capacity: Readonly<Record<string, string>>;
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
export const goArchitecture = (): string => architectures[arch()] ?? arch();

const read = async (path: string): Promise<string> => (await readFile(path, 'utf8').catch(() => '')).trim();

export async function detectMachineFacts(dataDir: string): Promise<MachineFacts> {
  const [machineID, bootID, uuid, release_, disk] = await Promise.all([
    read('/etc/machine-id'),
    read('/proc/sys/kernel/random/boot_id'),
    read('/sys/class/dmi/id/product_uuid'),
    read('/etc/os-release'),
    statfs(dataDir).catch(() => undefined),
  ]);
  return {
    hostname: hostname(),
    info: {
      architecture: goArchitecture(),
      bootID,
      kernelVersion: release(),
      machineID,
      operatingSystem: 'linux',
      osImage: /^PRETTY_NAME="?(.*?)"?$/m.exec(release_)?.[1] ?? '',
      systemUUID: uuid || machineID,
    },
    capacity: {
      cpu: String(availableParallelism()),
      ...(disk && { 'ephemeral-storage': `${Math.floor((disk.blocks * disk.bsize) / 1024)}Ki` }),
      memory: `${Math.floor(totalmem() / 1024)}Ki`,
    },
  };
}

/** A machine that does not exist. */
export function simulatedMachine(nodeName: string, capacity: Readonly<Record<string, string>> = {}): MachineFacts {
  return {
    hostname: nodeName,
    info: {
      architecture: goArchitecture(),
      bootID: '',
      kernelVersion: '',
      machineID: nodeName,
      operatingSystem: 'linux',
      osImage: 'simulated',
      systemUUID: nodeName,
    },
    capacity: { cpu: '32', 'ephemeral-storage': '256Gi', memory: '256Gi', ...capacity },
  };
}
