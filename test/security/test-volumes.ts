/** A volume manager on real files, without mounts and without an API server. */
import type { Event } from '../../src/api/generated/core-v1.ts';
import type { Client } from '../../src/client/client.ts';
import { realClock } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { FileGate } from '../../src/node/files/file-gate.ts';
import type { ReferencedObjects } from '../../src/node/kubelet/pod/referenced-objects.ts';
import { TimerWheel } from '../../src/node/kubelet/timer-wheel.ts';
import type { Mounter } from '../../src/node/kubelet/volumes/mounter.ts';
import type { TokenManager } from '../../src/node/kubelet/volumes/service-account-token.ts';
import { VolumeManager } from '../../src/node/kubelet/volumes/volume-manager.ts';

const noMounts: Mounter = {
  tmpfs: async () => undefined,
  bind: async () => undefined,
  unmount: async () => undefined,
  isMountPoint: async () => false,
  mountsBelow: async () => [],
};

export function testVolumes(podsRoot: string, gate = new FileGate({ clock: realClock })) {
  const events: Pick<Event, 'reason' | 'message'>[] = [];
  const volumes = new VolumeManager({
    host: {
      client: {} as Client,
      clock: realClock,
      gate,
      objects: {} as ReferencedObjects,
      tokens: { forget: () => undefined } as unknown as TokenManager,
      mounter: noMounts,
      hostIPs: () => [],
      allocatable: () => ({}),
    },
    wheel: new TimerWheel(realClock),
    events: { event: (_, __, reason, message) => events.push({ reason, message }) },
    log: silentLog,
    podsRoot,
  });
  return { volumes, events };
}
