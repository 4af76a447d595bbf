/** ServiceAccount: of the secrets it lists, only the names are kept. Upstream: pkg/registry/core/serviceaccount. */
import type { ObjectReference } from '../../generated/core-v1.ts';
import { ServiceAccount } from '../../generated/kinds.ts';
import { nameAndAge } from '../cells.ts';
import { defineKind } from '../define-kind.ts';
import { change, mapSame } from '../set-defaults.ts';

const mountableSecretsKey = 'kubernetes.io/enforce-mountable-secrets';

export const serviceAccount = defineKind(ServiceAccount, {
  returnsDeletedObject: true,
  hooks: {
    prepareForCreate: withBareSecrets,
    prepareForUpdate: withBareSecrets,
    warnings(object, old) {
      const isNew = object.metadata.annotations?.[mountableSecretsKey] !== undefined && !old?.metadata.annotations?.[mountableSecretsKey];
      if (!isNew) return [];
      const advice = 'prefer separate namespaces to isolate access to mounted secrets';
      return [`metadata.annotations[${mountableSecretsKey}]: deprecated in v1.32+; ${advice}`];
    },
    cells: nameAndAge(() => []),
  },
});

function withBareSecrets(object: ServiceAccount): ServiceAccount {
  return change(object, 'secrets', (secrets) => mapSame(secrets, bare));
}

function bare(reference: ObjectReference): ObjectReference {
  return Object.keys(reference).every((field) => field === 'name') ? reference : { ...(reference.name && { name: reference.name }) };
}
