/** CertificateSigningRequest: what is filled in, and what is refused. */
import { testCreates, testUpdates } from '../cases.test.ts';

const request =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIZE1JR0RBZ0VBTUNFeEVUQVBCZ05WQkFvTUNITjVjM1JsYlRwNE1Rd3dDZ1lEVlFRRERBTnFiMlV3V1RBVApCZ2NxaGtqT1BRSUJCZ2dxaGtqT1BRTUJCd05DQUFTTkdkNTJBKzYrYitWV0xxbDZPMWIza25BK3dBc1I1endvCkVYVTZjWktSMFJLSzdUdnY5YTBOR2FrUlFtcFBQay95R0t0U1VQdVRLUUdzMXcvblFiSk9vQUF3Q2dZSUtvWkkKemowRUF3SURTUUF3UmdJaEFPMThQUXVQVXRxNklXZnl0dURiajBCUWNxZGtjMFVtL1RXTTRvOUlydlVBQWlFQQoxZXRZdU5XM1pBRTVnS2h5OGtiM3FzMHJpWG5TdlZ6cVV5eHRwWUFZcHpJPQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K';
const certificate =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJiRENDQVJPZ0F3SUJBZ0lVQzk2MXBYUi9IY1hBU3hnVG8xbTRndEZKdjdnd0NnWUlLb1pJemowRUF3SXcKRERFS01BZ0dBMVVFQXd3QllUQWVGdzB5TmpFeE1qTXdPVE00TlRoYUZ3MHpOakV4TWpBd09UTTROVGhhTUF3eApDakFJQmdOVkJBTU1BV0V3V1RBVEJnY3Foa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVI1Z085cmZQYXlKOFpGCmRkaGI5NklZZExJM21mN09RUkhPTWFrQi9CVlZkQlAydDE0ZUhBNHR0RXM3alBXeGN3eWdFQnJTZWxTbW5LUkEKSE1kVEJ4elpvMU13VVRBZEJnTlZIUTRFRmdRVXJoSHNYRGthblhKSlJqYzErcFFTRVVzN3ZVa3dId1lEVlIwagpCQmd3Rm9BVXJoSHNYRGthblhKSlJqYzErcFFTRVVzN3ZVa3dEd1lEVlIwVEFRSC9CQVV3QXdFQi96QUtCZ2dxCmhrak9QUVFEQWdOSEFEQkVBaUE5T25GblozMzVRclRmNzlIeVhzaUQ1ZXY1dis0bGRJOHRTWXRJZkYvOEhnSWcKWkVzeHVmT2sxRkhob21INEV0SWpueXRLYWlFNFBGd1IzeEtxOCtFbmtmdz0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=';

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

testCreates([
  {
    name: 'takes a request with a key of type ec',
    given: {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      spec: { request: request, signerName: 'a.b/c', usages: ['client auth'] },
    },
    has: { 'spec.username': 'ann', 'spec.groups': ['system:authenticated'] },
  },
  {
    name: 'takes a request with a key of type rs',
    given: {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      spec: {
        request:
          'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQ1pqQ0NBVTRDQVFBd0lURVJNQThHQTFVRUNnd0ljM2x6ZEdWdE9uZ3hEREFLQmdOVkJBTU1BMnB2WlRDQwpBU0l3RFFZSktvWklodmNOQVFFQkJRQURnZ0VQQURDQ0FRb0NnZ0VCQUthTGdoZUZyV1dDclBWQkEzV3o0bWZjCnRyNmtGdk5PQTd3L1hOUlJoRkd5WXh2TDBkWWE5QXpYZTBBVWIwWVEzTlRmVW9BMnpCdnZXRmJQbVAxVDdaWU4KT1JhUnlRdndzdEZDL0ZZMzE3UUczMjBhRlF2Tm1TUDRzaHVnRTNLS1Q0SGgyTG1LNW5MZDhzdWJrelJDcTgybgppUVM2VmhTdkJySlVzTFNXdTdudCsrdFRVZ3NvcytqYncwd0k5QzAyY0U2eDVEaWRKalFNVjVSbGFoelFRdGlWClBkc1owSVI0c2hKZVdtM1V4c2tha0x5Vlh1R3pvQitZU20vcGl5SkxkQ0Q3aXJPVnBwR2FMcC9qdXlHeW96NDEKSHlWOWtMVlFXUVBZQjArU2ZCSVVTQzAwOE8vSk5TRkFOT1BSbSs5WXFVVkZza1VKZlZ2bnVldUZadUU3b3FFQwpBd0VBQWFBQU1BMEdDU3FHU0liM0RRRUJDd1VBQTRJQkFRQkU5RVVlbWRRdUcrb2JtaWV5SzMrRTNoVlRhMmRnClZjQWRHSzJuQ25UUno5UjBTdFBrdm5ZR3FBYngwRC9tMEpiYWhobFhocHB6QUZIZERMdkV1MU13QWNOc0wwNGkKS3pERXc0VmQxbldITGtuM1BGSFF0THR6VFBYNXZ2WlJKWU1xaXBFSTJ0ODVzVmVCbU1qZUx0VG9lY3RZbnpQNApNYWpwNjU1ZWM4TXN4ckZWYmJLeGhNVDIzVU5iTXUzZndQWU1zZzM2TG1walNZaXB3UDFETDZ5dEppaEJZMWZOCmpBeUk4ZDFZckFnbG80cnEweGw5RzlneGMzR09XbFlqWDJlRjFIQWhqM0REWG56NkxCSXNZcHVPMG5xNUQ3a3oKdFZBWmdUelZnaHRoTGxFTjh5RUhiSFNIRTdrN1k4U21HWDZKK2g0VkQ3RnVFMndEQ2lBSHpEd0wKLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==',
        signerName: 'a.b/c',
        usages: ['client auth'],
        expirationSeconds: 3600,
      },
    },
    has: { 'spec.username': 'ann', 'spec.groups': ['system:authenticated'] },
  },
  {
    name: 'takes a request with a key of type ed',
    given: {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      spec: {
        request:
          'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlHZ01GUUNBUUF3SVRFUk1BOEdBMVVFQ2d3SWMzbHpkR1Z0T25neEREQUtCZ05WQkFNTUEycHZaVEFxTUFVRwpBeXRsY0FNaEFJQnNqV0JVYktIemY0cmttOFpuTVFSaUhpQ1E1WXJTNDk1VnNVUXVFZG5Eb0FBd0JRWURLMlZ3CkEwRUFOaFBSR0luUysrS2dWcVRjMFlMbWx4T2l3VDZ0b1p2Z0Jzc0VpbXlhc2Z0UlUwWkNGZURabXh5L3pCY0gKMzhMbUpkMHY0SjNvd2RmdUorc1RJR1NyQ2c9PQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K',
        signerName: 'a.b/c',
        usages: ['client auth'],
      },
    },
    has: { 'spec.username': 'ann', 'spec.groups': ['system:authenticated'] },
  },
  {
    name: 'refuses a request whose signature is another',
    given: {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      spec: {
        request:
          'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIZE1JR0RBZ0VBTUNFeEVUQVBCZ05WQkFvTUNITjVjM1JsYlRwNE1Rd3dDZ1lEVlFRRERBTnFiMlV3V1RBVEJnY3Foa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVNOR2Q1MkErNitiK1ZXTHFsNk8xYjNrbkErd0FzUjV6d29FWFU2Y1pLUjBSS0s3VHZ2OWEwTkdha1JRbXBQUGsveUdLdFNVUHVUS1FHczF3L25RYkpPb0FBd0NnWUlLb1pJemowRUF3SURTUUF3UmdJaEFPMThQUXVQVXRxNklXZnl0dURiajBCUWNxZGtjMFVtL1RXTTRvOUlydlVBQWlFQTFldFl1TlczWkFFNWdLaHk4a2IzcXMwcmlYblN2VnpxVXl4dHBZQVpwekk9Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=',
        signerName: 'a.b/c',
        usages: ['client auth'],
      },
    },
    errors: [
      'spec.request: Invalid value: "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIZE1JR0RBZ0VBTUNFeEVUQVBCZ05WQkFvTUNITjVjM1JsYlRwNE1Rd3dDZ1lEVlFRRERBTnFiMlV3V1RBVEJnY3Foa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVNOR2Q1MkErNitiK1ZXTHFsNk8xYjNrbkErd0FzUjV6d29FWFU2Y1pLUjBSS0s3VHZ2OWEwTkdha1JRbXBQUGsveUdLdFNVUHVUS1FHczF3L25RYkpPb0FBd0NnWUlLb1pJemowRUF3SURTUUF3UmdJaEFPMThQUXVQVXRxNklXZnl0dURiajBCUWNxZGtjMFVtL1RXTTRvOUlydlVBQWlFQTFldFl1TlczWkFFNWdLaHk4a2IzcXMwcmlYblN2VnpxVXl4dHBZQVpwekk9Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=": x509: ECDSA verification failure',
    ],
  },
]);

testUpdates(
  {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    spec: { request: request, signerName: 'a.b/c', usages: ['client auth'] },
  },
  [
    { name: 'update: spec', change: { spec: { signerName: 'x.y/z' } } },
    {
      name: 'approval: approve',
      change: {
        status: {
          conditions: [
            {
              type: 'Approved',
              status: 'True',
              reason: 'a',
              lastUpdateTime: '2020-01-01T00:00:00Z',
              lastTransitionTime: '2020-01-01T00:00:00Z',
            },
          ],
        },
      },
      subresource: 'approval',
    },
    {
      name: 'approval: both',
      change: {
        status: {
          conditions: [
            { type: 'Approved', status: 'True' },
            { type: 'Denied', status: 'True' },
          ],
        },
      },
      subresource: 'approval',
      errors: ['status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive'],
    },
    {
      name: 'approval: falsely',
      change: {
        status: {
          conditions: [
            { type: 'Approved', status: 'False' },
            { type: '', status: 'Foo' },
          ],
        },
      },
      subresource: 'approval',
      errors: [
        'status.conditions[0].status: Unsupported value: "False": supported values: "True"',
        'status.conditions[1].type: Required value',
        'status.conditions[1].status: Unsupported value: "Foo": supported values: "False", "True", "Unknown"',
      ],
    },
    {
      name: 'status: approveByStatus',
      change: { status: { conditions: [{ type: 'Approved', status: 'True' }] } },
      subresource: 'status',
      errors: ['status.conditions: Forbidden: updates may not add a condition of type "Approved"'],
    },
    { name: 'status: cert', change: { status: { certificate: certificate } }, subresource: 'status' },
    {
      name: 'status: certBad',
      change: { status: { certificate: 'YWJj' } },
      subresource: 'status',
      errors: ['status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block'],
    },
    { name: 'approval: certByApproval', change: { status: { certificate: certificate } }, subresource: 'approval' },
    {
      name: 'approval: fills in times',
      subresource: 'approval',
      change: { status: { conditions: [{ type: 'Approved', status: 'True' }] } },
      has: {
        'status.conditions[0].lastUpdateTime': '2026-01-02T03:04:05Z',
        'status.conditions[0].lastTransitionTime': '2026-01-02T03:04:05Z',
      },
    },
  ],
);
