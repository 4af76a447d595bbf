/** PodCertificateRequest, which is beta and not served by default. Upstream: pkg/registry/certificates/podcertificaterequest. */
import type { PodCertificateRequestSpec } from '../../generated/certificates-v1beta1.ts';
import { PodCertificateRequest } from '../../generated/kinds.ts';
import { all, fields, immutable } from '../../schema/rules/rules.ts';
import { formatLabels, textColumns } from '../cells.ts';
import { defineKind, named } from '../define-kind.ts';
import { keepMetadata } from '../keep-metadata.ts';
import { listOf } from '../lists.ts';
import { signerName } from './signer-name.ts';

const states = ['Issued', 'Denied', 'Failed'];

export const podCertificateRequest = defineKind(PodCertificateRequest, {
  allowUnconditionalUpdate: false,
  selectablePaths: { ...named, 'spec.signerName': '', 'spec.podName': '', 'spec.nodeName': '' },
  columns: textColumns('Name', 'PodName', 'ServiceAccountName', 'NodeName', 'SignerName', 'State', 'UnverifiedUserAnnotations*'),
  hooks: {
    prepareForCreate: (object) => ({ ...object, status: {} }),
    prepareForStatusUpdate: keepMetadata,
    rules: fields({ spec: all<PodCertificateRequestSpec>(fields({ signerName }), immutable()) }),
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
