/**
 * The rule of accounts with the annotation `kubernetes.io/enforce-mountable-secrets`: their pods use only Secrets that
 * the account lists. Upstream: plugin/pkg/admission/serviceaccount/admission.go (limitSecretReferences).
 */
import type { Container, PodSpec } from '../../../api/generated/core-v1.ts';
import type { ServiceAccount } from '../../../api/generated/kinds.ts';

/** The first thing that is not allowed, in words. */
export function mountableSecretsProblem(account: ServiceAccount, spec: PodSpec, onlyEphemeral: boolean): string | undefined {
  const allowed = new Set(account.secrets?.map((secret) => secret.name));
  const because = `is not allowed because service account ${account.metadata.name} does not reference that`;
  const containers = (kind: string, list: readonly Container[] | undefined): string[] =>
    (list ?? []).flatMap((container) =>
      containerProblems(container, allowed).map((text) => `${kind} ${container.name} with ${text} ${because} secret`),
    );
  if (onlyEphemeral) return containers('ephemeral container', spec.ephemeralContainers as readonly Container[] | undefined)[0];
  const volumes = (spec.volumes ?? []).flatMap(({ secret }) =>
    secret && !allowed.has(secret.secretName ?? '') ? [`volume with secret.secretName="${secret.secretName ?? ''}" ${because} secret`] : [],
  );
  const pullSecrets = new Set(account.imagePullSecrets?.map((ref) => ref.name));
  const pulls = (spec.imagePullSecrets ?? []).flatMap(({ name }, i) =>
    pullSecrets.has(name) ? [] : [`imagePullSecrets[${i}].name="${name ?? ''}" ${because} imagePullSecret`],
  );
  return [...volumes, ...containers('init container', spec.initContainers), ...containers('container', spec.containers), ...pulls][0];
}

function containerProblems({ env, envFrom }: Container, allowed: ReadonlySet<string | undefined>): string[] {
  const fromEnv = (env ?? []).flatMap(({ name, valueFrom }) => {
    const secret = valueFrom?.secretKeyRef?.name;
    return secret !== undefined && !allowed.has(secret) ? [`envVar ${name} referencing secret.secretName="${secret}"`] : [];
  });
  const fromAll = (envFrom ?? []).flatMap(({ secretRef }) =>
    secretRef && !allowed.has(secretRef.name) ? [`envFrom referencing secret.secretName="${secretRef.name ?? ''}"`] : [],
  );
  return [...fromEnv, ...fromAll];
}
