/** One suite, run on the simulated runtime and, where the machine has one, on containerd. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock, realRandom } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { findCniPlugins, writeCniConfig } from '../../src/node/network/cni.ts';
import { Containerd } from '../../src/node/runtime/containerd.ts';
import { removeContainerd } from '../../src/node/runtime/remove-containerd.ts';
import { SimulatedRuntime } from '../../src/node/runtime/simulated-runtime.ts';
import { busyboxImage } from '../host/busybox-image.ts';
import { inOwnNamespaces } from '../host/own-namespaces.ts';
import { containerRuntimeContract } from './container-runtime.ts';

const image = 'contract:1';
const cgroup = `timonier-contract-${process.pid}`;

if (inOwnNamespaces(import.meta.url)) {
  containerRuntimeContract('containerd', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'contract-'));
    const containerd = await Containerd.start({
      dataDir,
      cniPluginDir: findCniPlugins() ?? '',
      clock: realClock,
      log: silentLog,
    });
    await writeCniConfig(containerd.paths.cniConfDir, { network: 'contract', podCidr: '10.244.9.0/24', ipamDir: join(dataDir, 'ipam') });
    await containerd.loadImage(busyboxImage(image));
    return {
      runtime: containerd.runtime,
      image,
      cgroupParent: `/${cgroup}`,
      logDirectory: join(dataDir, 'logs'),
      [Symbol.asyncDispose]: async () => {
        await containerd.removePods();
        await containerd.stop();
        await removeContainerd({ dataDir, clock: realClock, cgroup });
      },
    };
  });
} else {
  containerRuntimeContract('simulated', async () => {
    const runtime = new SimulatedRuntime({ clock: realClock, random: realRandom, podCidr: '10.244.9.0/24' });
    await runtime.pullImage({ image });
    return {
      runtime,
      image,
      cgroupParent: '/simulated',
      logDirectory: '/var/log/simulated',
      [Symbol.asyncDispose]: () => runtime[Symbol.asyncDispose](),
    };
  });
}
