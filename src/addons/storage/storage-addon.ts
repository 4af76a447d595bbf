/** The default storage class: volumes are directories of the node's own file system, below its data directory. */
import { StorageClass } from '../../api/generated/kinds.ts';
import { defineAddon } from '../addon.ts';
import { standardClass } from './standard-class.ts';

const read = ['get', 'list', 'watch'];

export const storage = defineAddon({
  name: 'storage',
  about: 'the default storage class: directories of the nodes',
  serviceAccount: 'directory-provisioner',
  rights: [
    { apiGroups: [''], resources: ['persistentvolumes'], verbs: [...read, 'create', 'update', 'delete'] },
    { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: [...read, 'update'] },
    { apiGroups: [''], resources: ['persistentvolumeclaims/status'], verbs: ['update'] },
    { apiGroups: [''], resources: ['nodes'], verbs: read },
    { apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: read },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
  objects: () => [{ kind: StorageClass, object: standardClass }],
  async start({ client, clock, random, log, volumes }, stack) {
    const [{ runControllers }, { directoryControllers }] = await Promise.all([
      import('../../client/controllers/controller-runner.ts'),
      import('./directory-volumes.ts'),
    ]);
    const running = stack.use(runControllers(directoryControllers(volumes), { client, clock, random, log }));
    await running.started;
  },
});
