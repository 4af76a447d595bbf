/** ClusterTrustBundle, which is beta and not served by default. Upstream: pkg/apis/certificates/validation/validation.go. */
import { ClusterTrustBundle, ClusterTrustBundleV1alpha1 } from '../../generated/kinds.ts';
import type { KindHooks } from '../../meta/kind.ts';
import { nameIsAnything } from '../../meta/names.ts';
import type { FieldError } from '../../meta/status-error.ts';
import { textColumns } from '../cells.ts';
import { checkImmutable, type Errors } from '../checks.ts';
import { defineKind, named } from '../define-kind.ts';
import { checkSignerName } from './signer-name.ts';

type Bundle = ClusterTrustBundle | ClusterTrustBundleV1alpha1;

const hooks: KindHooks<Bundle> = {
  validate({ spec }, old): readonly FieldError[] {
    const errors: Errors = [];
    if (spec.signerName) checkSignerName(errors, 'spec.signerName', spec.signerName);
    if (old) checkImmutable(errors, 'spec.signerName', spec.signerName, old.spec.signerName);
    return errors;
  },
  cells: ({ metadata, spec }) => [metadata.name, spec.signerName || '<none>'],
};
const extra = {
  validateName: nameIsAnything,
  allowUnconditionalUpdate: false,
  selectablePaths: { ...named, 'spec.signerName': '' },
  hooks,
  columns: textColumns('Name', 'SignerName'),
};

export const clusterTrustBundle = defineKind<Bundle>(ClusterTrustBundle, extra);
export const clusterTrustBundleV1alpha1 = defineKind<Bundle>(ClusterTrustBundleV1alpha1, extra);
