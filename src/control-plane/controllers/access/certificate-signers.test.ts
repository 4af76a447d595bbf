import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestedCertificate } from '../../pki/certificate-request.ts';
import { signers } from './certificate-signers.ts';

const node: RequestedCertificate = { commonName: 'system:node:a', organizations: ['system:nodes'], names: [] };
const dns = { type: 'dns', value: 'a' };
const serving = { ...node, names: [dns, { type: 'ip', value: '192.0.2.1' }] };
const [signature, encipherment, client, server] = ['digital signature', 'key encipherment', 'client auth', 'server auth'] as const;

const rows: readonly { name: string; signer: string; given: RequestedCertificate; usages: string[]; want: RegExp | undefined }[] = [
  { name: 'a kubelet', signer: 'kube-apiserver-client-kubelet', given: node, usages: [signature, encipherment, client], want: undefined },
  { name: 'without an RSA key', signer: 'kube-apiserver-client-kubelet', given: node, usages: [client, signature], want: undefined },
  {
    name: 'a kubelet of another group',
    signer: 'kube-apiserver-client-kubelet',
    given: { ...node, organizations: ['system:nodes', 'system:masters'] },
    usages: [signature, client],
    want: /^subject organization is not system:nodes$/,
  },
  {
    name: 'a kubelet with a DNS name',
    signer: 'kube-apiserver-client-kubelet',
    given: serving,
    usages: [signature, client],
    want: /^DNS subjectAltNames are not allowed$/,
  },
  {
    name: 'a kubelet that would serve',
    signer: 'kube-apiserver-client-kubelet',
    given: node,
    usages: [signature, client, server],
    want: /^usages did not match \[client auth digital signature key encipherment\]$/,
  },
  {
    name: 'a kubelet that is no node',
    signer: 'kube-apiserver-client-kubelet',
    given: { ...node, commonName: 'root' },
    usages: [signature, client],
    want: /^subject common name does not begin with system:node:$/,
  },
  { name: 'a serving kubelet', signer: 'kubelet-serving', given: serving, usages: [signature, server], want: undefined },
  {
    name: 'a serving kubelet without names',
    signer: 'kubelet-serving',
    given: node,
    usages: [signature, server],
    want: /^DNS or IP subjectAltName is required$/,
  },
  {
    name: 'a serving kubelet with a URI',
    signer: 'kubelet-serving',
    given: { ...node, names: [dns, { type: 'url', value: 'spiffe://a' }] },
    usages: [signature, server],
    want: /^URI subjectAltNames are not allowed$/,
  },
  { name: 'a client', signer: 'kube-apiserver-client', given: { ...node, commonName: 'jane' }, usages: [client], want: undefined },
  {
    name: 'a client that would serve',
    signer: 'kube-apiserver-client',
    given: node,
    usages: [client, server],
    want: /^invalid usage for client certificate: server auth$/,
  },
  {
    name: 'a client that says nothing of it',
    signer: 'kube-apiserver-client',
    given: node,
    usages: [signature],
    want: /^missing required usage for client certificate: client auth$/,
  },
];

describe('signers of certificate requests', () => {
  for (const { name, signer, given, usages, want } of rows)
    it(name, () => {
      const problem = signers[`kubernetes.io/${signer}`]?.(given, usages);
      if (want) assert.match(problem ?? '', want);
      else assert.equal(problem, undefined);
    });
});
