/**
 * Every namespace has the service account `default`: it is made when it is missing, until the namespace is deleted.
 * Upstream: pkg/controller/serviceaccount/serviceaccounts_controller.go.
 */
import { Namespace, ServiceAccount } from '../../../api/generated/kinds.ts';
import { isAlreadyExists } from '../../../api/meta/status-error.ts';
import { defineController, watched } from '../../../client/controllers/controller.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';

const accountName = 'default';

export const serviceAccountController = defineController({
  name: 'service-account-controller',
  watches: [watched(Namespace), watched(ServiceAccount, ({ metadata }) => (metadata.name === accountName ? [metadata.namespace] : []))],
  async reconcile(namespace, { client }) {
    const owner = client.informer(Namespace).get(namespace);
    if (!owner || owner.metadata.deletionTimestamp) return;
    if (client.informer(ServiceAccount).get(`${namespace}/${accountName}`)) return;
    try {
      await client.create(ServiceAccount, { metadata: { namespace, name: accountName } });
    } catch (error) {
      if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error;
    }
  },
});
