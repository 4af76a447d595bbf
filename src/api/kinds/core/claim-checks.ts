/**
 * Rules of what a persistent volume claim asks for, alone and as a template inside other objects.
 * Upstream: pkg/apis/core/validation/validation.go (ValidatePersistentVolumeClaimSpec).
 */
import type { PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate, TypedObjectReference } from '../../generated/core-v1.ts';
import type { ObjectMeta } from '../../generated/meta-v1.ts';
import { nameIsDnsLabel } from '../../meta/names.ts';
import { compareQuantities } from '../../meta/quantity.ts';
import { all, fields, filled, format, oneOf, positiveQuantity, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { annotations, dnsSubdomain, labels, selector, subdomainName } from '../shared-rules.ts';

const modes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const knownMode = oneOf(...modes);
export const volumeMode = oneOf('Block', 'Filesystem');

/** Upstream names the list, not the item. */
export const accessModes: Rule<readonly string[]> = (given, walk) => {
  for (const mode of given) knownMode(mode, walk, undefined);
  const isOnce = given.includes('ReadWriteOncePod');
  if (isOnce && given.some((mode) => mode !== 'ReadWriteOncePod' && modes.includes(mode))) {
    walk.forbidden('', 'may not use ReadWriteOncePod with other access modes');
  }
};

const storage = required(positiveQuantity('must be greater than zero'));

/** `anyGroup`: of what a source is may be named in any form, since it was before. */
export const claimSpec = (anyGroup = false): Rule<PersistentVolumeClaimSpec> =>
  all<PersistentVolumeClaimSpec>(
    fields({ accessModes: required(undefined, 'at least 1 access mode is required') }),
    fields({ selector, accessModes }),
    ({ resources }, walk) => {
      walk.enter('resources[storage]');
      storage(resources?.requests?.storage as string, walk, undefined);
      walk.leave();
    },
    fields({ storageClassName: filled(subdomainName), volumeMode }),
    dataSources(anyGroup),
    fields({ volumeAttributesClassName: filled(subdomainName) }),
  );

function dataSources(anyGroup: boolean): Rule<PersistentVolumeClaimSpec> {
  const source = all<TypedObjectReference>(fields({ name: required(), kind: required() }), ({ apiGroup, kind }, walk) => {
    if (!apiGroup && kind !== 'PersistentVolumeClaim') {
      walk.invalid('', kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
    }
    if (!anyGroup) walk.check('apiGroup', apiGroup || undefined, dnsSubdomain);
  });
  return all<PersistentVolumeClaimSpec>(
    fields({ dataSource: source, dataSourceRef: all(source, fields<TypedObjectReference>({ namespace: filled(namespaceName) })) }),
    ({ dataSource: local, dataSourceRef: other }, walk) => {
      if (!local || !other) return;
      const isSame = local.apiGroup === other.apiGroup && local.kind === other.kind && local.name === other.name;
      if (other.namespace) walk.invalid('', {}, 'may not be specified when dataSourceRef.namespace is specified');
      else if (!isSame) walk.invalid('', {}, 'must match dataSourceRef');
    },
  );
}
const namespaceName = format((name: string) => nameIsDnsLabel(name, false));

/** A template may carry labels and annotations, nothing else of an object's metadata. */
export const claimTemplate = fields<PersistentVolumeClaimTemplate>({
  metadata: all<ObjectMeta>(fields({ annotations, labels }), (metadata, walk) => {
    for (const field in metadata) if (field !== 'annotations' && field !== 'labels') walk.forbidden(field, 'cannot be set');
  }),
  spec: claimSpec(),
});

/** Whether `now` asks for less storage than `old`. */
export const shrinks = (now: PersistentVolumeClaimSpec, old: PersistentVolumeClaimSpec): boolean =>
  compareQuantities(now.resources?.requests?.storage ?? '0', old.resources?.requests?.storage ?? '0') < 0;
