/** PodCertificateRequest, which is beta and not served by default. Upstream: pkg/registry/certificates/podcertificaterequest. */
import { PodCertificateRequest } from '../../generated/kinds.ts';
import { formatLabels, textColumns } from '../cells.ts';
import { checkImmutable, type Errors } from '../checks.ts';
import { defineKind, named } from '../define-kind.ts';
import { keepMetadata } from '../keep-metadata.ts';
import { listOf } from '../lists.ts';
import { checkSignerName } from './signer-name.ts';

const states = ['Issued', 'Denied', 'Failed'];

export const podCertificateRequest = defineKind(PodCertificateRequest, {
  allowUnconditionalUpdate: false,
  selectablePaths: { ...named, 'spec.signerName': '', 'spec.podName': '', 'spec.nodeName': '' },
  columns: textColumns('Name', 'PodName', 'ServiceAccountName', 'NodeName', 'SignerName', 'State', 'UnverifiedUserAnnotations*'),
  hooks: {
    prepareForCreate: (object) => ({ ...object, status: {} }),
    prepareForStatusUpdate: keepMetadata,
    validate({ spec }, old) {
      const errors: Errors = [];
      checkSignerName(errors, 'spec.signerName', spec.signerName ?? '');
      if (old) checkImmutable(errors, 'spec', spec, old.spec);
      return errors;
    },
    cells: ({ metadata, spec, status }) => [
      metadata.name,
      spec.podName,
      spec.serviceAccountName,
      spec.nodeName,
      spec.signerName,
      listOf(status.conditions).findLast(({ type }) => states.includes(type))?.type ?? 'Pending',
      formatLabels(spec.unverifiedUserAnnotations),
    ],
  },
});
