/**
 * Tells in the status of a ValidatingAdmissionPolicy what is wrong with its expressions by the types that are served
 * (api/kinds/admissionregistration/type-checking.ts): once per generation, as upstream. It is here and not with the
 * controllers, because the server alone has all schemas.
 * Upstream: pkg/controller/validatingadmissionpolicystatus.
 */
import { ValidatingAdmissionPolicy } from '../../../api/generated/kinds.ts';
import { checkTypes } from '../../../api/kinds/admissionregistration/type-checking.ts';
import type { KindSnapshot } from '../../../api/kinds/kind-snapshot.ts';
import { isNotFound } from '../../../api/meta/status-error.ts';
import { type Controller, defineController, watched } from '../../../client/controllers/controller.ts';
import { takeInTurns } from '../request/yield-turn.ts';

const name = 'validatingadmissionpolicy-status';

export function policyTypesController(served: () => KindSnapshot): Controller {
  return defineController({
    name,
    watches: [watched(ValidatingAdmissionPolicy)],
    async reconcile(key, { client }) {
      const policy = client.informer(ValidatingAdmissionPolicy).get(key);
      const generation = policy?.metadata.generation ?? 0;
      if (!policy || generation <= (policy.status.observedGeneration ?? 0)) return;
      const expressionWarnings = await takeInTurns(checkTypes(policy.spec, served()), true);
      const { apiVersion, kind } = policy;
      const typeChecking = expressionWarnings.length > 0 ? { expressionWarnings } : {};
      const body = { apiVersion, kind, metadata: { name: key }, status: { observedGeneration: generation, typeChecking } };
      try {
        const patch = { type: 'apply', body, force: true } as const;
        await client.patch(ValidatingAdmissionPolicy, { name: key }, patch, { subresource: 'status', fieldManager: name });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
  });
}
