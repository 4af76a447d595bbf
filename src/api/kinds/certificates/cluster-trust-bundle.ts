/** ClusterTrustBundle, which is beta and not served by default. Upstream: pkg/apis/certificates/validation/validation.go. */
import { ClusterTrustBundle, ClusterTrustBundleV1alpha1 } from '../../generated/kinds.ts';
import type { KindHooks } from '../../meta/kind.ts';
import { nameIsAnything } from '../../meta/names.ts';
import { all, fields, filled, immutable } from '../../schema/rules/rules.ts';
import { textColumns } from '../cells.ts';
import { defineVersions, named } from '../define-kind.ts';
import { signerName } from './signer-name.ts';

type Bundle = ClusterTrustBundle | ClusterTrustBundleV1alpha1;

const hooks: KindHooks<Bundle> = {
  rules: fields({ spec: fields<Bundle['spec']>({ signerName: all(filled(signerName), immutable()) }) }),
  cells: ({ metadata, spec }) => [metadata.name, spec.signerName || '<none>'],
};
const extra = {
  validateName: nameIsAnything,
  allowUnconditionalUpdate: false,
  selectablePaths: { ...named, 'spec.signerName': '' },
  hooks,
  columns: textColumns('Name', 'SignerName'),
};

export const [clusterTrustBundle, clusterTrustBundleV1alpha1] = defineVersions([ClusterTrustBundle, ClusterTrustBundleV1alpha1], extra);
