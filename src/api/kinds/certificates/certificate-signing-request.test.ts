/** CertificateSigningRequest: what is filled in, and what is refused. */
import { testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'refuses spec.usages[0] and 4 more',
    given: {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      spec: { request: 'YWJj', signerName: 'a', expirationSeconds: 5, usages: ['foo', 'client auth', 'client auth'] },
    },
    errors: [
      'spec.usages[0]: Unsupported value: "foo": supported values: "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", "server auth", "signing", "timestamping"',
      'spec.request: Invalid value: "YWJj": PEM block type must be CERTIFICATE REQUEST',
      'spec.usages[2]: Duplicate value: "client auth"',
      'spec.signerName: Invalid value: "a": must be a fully qualified domain and path of the form \'example.com/signer-name\'',
      'spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 600 seconds (10 minutes)',
    ],
  },
  {
    name: 'refuses spec.request and 2 more',
    given: { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', spec: {} },
    errors: [
      'spec.request: Invalid value: null: PEM block type must be CERTIFICATE REQUEST',
      'spec.usages: Required value',
      'spec.signerName: Required value',
    ],
  },
  {
    name: 'refuses spec.request and 1 more',
    given: {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      spec: { request: 'YWJj', signerName: 'kubernetes.io/legacy-unknown', usages: ['client auth'] },
    },
    errors: [
      'spec.request: Invalid value: "YWJj": PEM block type must be CERTIFICATE REQUEST',
      'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
    ],
  },
]);
