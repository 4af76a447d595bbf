/**
 * Nothing is written into a namespace that does not exist, nothing is created in one that is being deleted, and the
 * namespaces that the cluster itself lives in are not deleted.
 * Upstream: apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go.
 */

import { LocalSubjectAccessReview, Namespace } from '../../../api/generated/kinds.ts';
import { isKind } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import type { ObjectReader } from '../cache/reader.ts';
import { refused } from './forbidden.ts';
import type { AdmissionPlugin } from './plugin.ts';

const immortal = new Set(['default', 'kube-system', 'kube-public']);

export function namespaceLifecycle(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    handles(kind, operation) {
      if (isKind(kind, Namespace)) return operation === 'DELETE';
      // An answer about the namespace would tell more than the review may.
      if (kind.resource === LocalSubjectAccessReview.resource) return false;
      return kind.namespaced && (operation === 'CREATE' || operation === 'UPDATE');
    },
    admit(request) {
      const { operation, namespace = '', name } = request;
      if (operation === 'DELETE') {
        if (immortal.has(name)) throw errors.forbidden(Namespace, name, 'this namespace may not be deleted');
        return undefined;
      }
      const found = reader.get(Namespace, { name: namespace });
      if (!found) throw errors.notFound(Namespace, namespace);
      if (operation !== 'CREATE' || found.status.phase !== 'Terminating') return undefined;
      throw refused(request, `unable to create new content in namespace ${namespace} because it is being terminated`, [
        { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' },
      ]);
    },
  };
}
