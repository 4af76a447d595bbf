/**
 * Every namespace has the ConfigMap `kube-root-ca.crt` with the certificate that clients check the API server by: pods
 * mount it beside their token. Upstream: pkg/controller/certificates/rootcacertpublisher.
 */
import { ConfigMap, Namespace } from '../../../api/generated/kinds.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import { isAlreadyExists } from '../../../api/meta/status-error.ts';
import { rootCAConfigMap } from '../../../api/meta/well-known.ts';
import { type Controller, defineController, watched } from '../../../client/controllers/controller.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';

const descriptionAnnotation = 'kubernetes.io/description';
const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or ' +
  'kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** `rootCA`: PEM */
export function rootCAController(rootCA: string): Controller {
  const data = { 'ca.crt': rootCA };
  return defineController({
    name: 'root-ca-cert-publisher',
    watches: [watched(Namespace), watched(ConfigMap, ({ metadata }) => (metadata.name === rootCAConfigMap ? [metadata.namespace] : []))],
    async reconcile(namespace, { client }) {
      const owner = client.informer(Namespace).get(namespace);
      if (!owner || owner.metadata.deletionTimestamp) return;
      const current = client.informer(ConfigMap).get(`${namespace}/${rootCAConfigMap}`);
      const annotations = { ...current?.metadata.annotations, [descriptionAnnotation]: description };
      try {
        if (!current) await client.create(ConfigMap, { metadata: { namespace, name: rootCAConfigMap, annotations }, data });
        else if (!equalJson(current.data, data) || current.metadata.annotations?.[descriptionAnnotation] !== description) {
          await client.update(ConfigMap, { ...current, metadata: { ...current.metadata, annotations }, data });
        }
      } catch (error) {
        if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error;
      }
    },
  });
}
