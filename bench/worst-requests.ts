/** Requests known to cost much for their size: each stands for a kind of work that somebody once had for nothing. */
import { fieldTermsMax, selectorTokensMax } from '../src/api/meta/selectors.ts';
import { bodyValuesMax } from '../src/api/schema/body.ts';
import { encodeEnveloped, encodeMessage, type TypeMeta } from '../src/api/schema/encode-protobuf.ts';
import type { LoadRequest } from './connections.ts';

export interface WorstRequest {
  readonly name: string;
  readonly make: () => LoadRequest;
  /** how many of it are sent at once, each over a connection of its own; default 1 */
  readonly atOnce?: number;
}

/** A little under what a server takes. */
export const bodyBytes = 2_900_000;
export const worstNamespace = 'worst';
/** made before the requests are sent: a ConfigMap with many owners, and objects to list */
export const target = 'target';
export const owners = 6000;
export const listed = 3000;
export const listedBytes = 4000;
/** a ConfigMap with as many keys as there can be */
export const large = 'large';
/** What a body may have beside its head: values, and of what has a name those with their names. */
const values = bodyValuesMax - 1000;
const fields = values / 2;
export const many = 20;

const core = `/api/v1/namespaces/${worstNamespace}`;
const dry = 'dryRun=All';
const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

const post = (resource: string, body: string | Uint8Array, contentType?: string): LoadRequest => ({
  method: 'POST',
  path: `${core}/${resource}?${dry}`,
  body,
  contentType,
});
const head = (kind: string): string => `"apiVersion":"v1","kind":"${kind}","metadata":{"name":"x"}`;
const configMap = (data: string, more = ''): string => `{${head('ConfigMap')},"data":{${data}}${more}}`;
const pod = (containers: string): string => `{${head('Pod')},"spec":{"containers":[${containers}]}}`;
const patch = (type: string, value: unknown): LoadRequest => ({
  method: 'PATCH',
  path: `${core}/configmaps/${target}?${dry}`,
  contentType: `application/${type}+json`,
  body: typeof value === 'string' ? value : JSON.stringify(value),
});
export const largeConfigMap = (name: string): string =>
  `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}"},"data":{${times(fields, (i) => `"k${i}":""`).join(',')}}}`;
const ofLarge = (
  method: LoadRequest['method'],
  value: unknown,
  contentType = 'application/merge-patch+json',
  query = dry,
): LoadRequest => ({
  method,
  path: `${core}/configmaps/${large}?${query}`,
  contentType,
  body: JSON.stringify(value),
});
const applyHead = (name: string): string => `"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}"}`;
const apply = (name: string, body: string): LoadRequest => ({
  method: 'PATCH',
  path: `${core}/configmaps/${name}?${dry}&fieldManager=worst&force=true`,
  contentType: 'application/apply-patch+yaml',
  body,
});
const manifest = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata:\n${times(45_000, (i) => `  key-${i}: some words that say what this is, and why\n`).join('')}`;
const yaml = (body: string): LoadRequest => post('configmaps', body, 'application/yaml');
const list = (query: string, accept?: string): LoadRequest => ({
  method: 'GET',
  path: `${core}/configmaps?${query}`,
  accept,
});
const review = (fields: string): LoadRequest => ({
  method: 'POST',
  path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
  body: `{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}${fields}}`,
});
/** Of a kind that nobody knows, so that nobody collects what they own. */
export const ownerList = (count: number): object[] =>
  times(count, (i) => ({ apiVersion: 'example.com/v1', kind: 'Thing', name: 'o', uid: `u${i}` }));

/** The protobuf envelope around a message. */
function enveloped(body: Buffer): Buffer {
  const length: number[] = [];
  for (let rest = body.length; length.length === 0 || rest > 0; rest >>>= 7) length.push((rest & 127) | (rest > 127 ? 128 : 0));
  const type = Buffer.from('\x0a\x02v1\x12\x09ConfigMap', 'latin1');
  return Buffer.concat([Buffer.from('k8s\0\x0a', 'latin1'), Buffer.from([type.length]), type, Buffer.from([0x12, ...length]), body]);
}

const inProtobuf = (body: string): Uint8Array => {
  const object = JSON.parse(body) as TypeMeta;
  return encodeEnveloped(object, encodeMessage(object));
};

export const worstRequests: readonly WorstRequest[] = [
  {
    name: 'JSON: all keys that a ConfigMap may have',
    make: () => post('configmaps', configMap(times(fields, (i) => `"k${i}":""`).join(','))),
  },
  {
    name: 'JSON: as many that are refused',
    make: () => post('configmaps', configMap(times(fields, (i) => `"! ${i}":""`).join(','))),
  },
  { name: 'JSON: containers without a field', make: () => post('pods', pod(times(fields, () => '{}').join(','))) },
  { name: 'JSON: a million values', make: () => post('configmaps', configMap('', `,"x":[${'{},'.repeat(900_000)}0]`)) },
  { name: 'JSON: one text of 2.9 MB', make: () => post('configmaps', configMap(`"k":"${'x'.repeat(bodyBytes)}"`)) },
  { name: 'JSON: one text of escapes', make: () => post('configmaps', configMap(`"k":"${'\\u0041'.repeat(bodyBytes / 6)}"`)) },
  { name: 'JSON: a number of 2.9 MB', make: () => post('configmaps', configMap('', `,"x":${'1'.repeat(bodyBytes)}`)) },
  {
    name: 'JSON: fields that are there twice',
    make: () => post('configmaps', configMap(times(fields, (i) => `"k${i % 10}":""`).join(','))),
  },
  {
    name: 'JSON: a field that is there twice, after a text of 2.9 MB',
    make: () => post('configmaps', configMap(`"k":"${'x'.repeat(bodyBytes)}","l":"","l":""`)),
  },
  { name: 'JSON: what looks like fields within texts', make: () => post('configmaps', configMap(`"k":"${'\\":'.repeat(bodyBytes / 3)}"`)) },
  {
    name: 'JSON: unknown fields, deep down',
    make: () =>
      post(
        'configmaps',
        configMap('', `,"a":${'{"a":'.repeat(400)}{${times(fields - 1000, (i) => `"u${i}":0`).join(',')}}${'}'.repeat(400)}`),
      ),
  },
  { name: 'JSON: malformed at its end', make: () => post('configmaps', configMap(`"k":"${'x'.repeat(bodyBytes)}"`, ',')) },
  { name: 'JSON: nested without end', make: () => post('configmaps', configMap('', `,"x":${'['.repeat(bodyBytes)}`)) },
  {
    name: 'JSON: terms of a selector',
    make: () => ({
      method: 'POST',
      path: `/apis/networking.k8s.io/v1/namespaces/${worstNamespace}/networkpolicies?${dry}`,
      body: `{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"x"},"spec":{"podSelector":{"matchLabels":{${times(fields, (i) => `"k${i}":"v"`).join(',')}}}}}`,
    }),
  },
  {
    name: 'JSON: a name of 1.4 million labels',
    make: () => post('configmaps', `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${'a.'.repeat(bodyBytes / 2)}"}}`),
  },
  { name: 'JSON: an image of 1.4 million hyphens', make: () => post('pods', pod(`{"name":"a","image":"${'a-'.repeat(bodyBytes / 2)}!"}`)) },
  {
    name: 'JSON: as many limits of a container as fit',
    make: () =>
      post('pods', pod(`{"name":"a","image":"b","resources":{"limits":{${times(fields, (i) => `"example.com/a${i}":"1"`).join(',')}}}}`)),
  },
  {
    name: 'JSON: ranges that a policy leaves out',
    make: () => ({
      method: 'POST',
      path: `/apis/networking.k8s.io/v1/namespaces/${worstNamespace}/networkpolicies?${dry}`,
      body: `{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"x"},"spec":{"podSelector":{},"ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0.0/8","except":[${times(values, (i) => `"10.${i & 255}.${i >> 8}.0/24"`).join(',')}]}}]}]}}`,
    }),
  },
  {
    name: 'JSON: one port of a pod, defined again and again',
    make: () => post('pods', pod(`{"name":"a","image":"b","ports":[${times(values / 3, () => '{"containerPort":80}').join(',')}]}`)),
  },
  {
    name: 'JSON: a schedule of 1.4 million minutes',
    make: () => ({
      method: 'POST',
      path: `/apis/batch/v1/namespaces/${worstNamespace}/cronjobs?${dry}`,
      body: `{"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"x"},"spec":{"schedule":"${'1,'.repeat(bodyBytes / 2)}1 * * * *","jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"a","image":"b"}]}}}}}}`,
    }),
  },
  {
    name: 'JSON: base64 of short lines',
    make: () => post('secrets', `{${head('Secret')},"data":{"k":"${'Y\\n'.repeat(Math.floor(bodyBytes / 12) * 4)}"}}`),
  },
  {
    name: 'JSON: a registry’s credentials of 700,000 objects',
    make: () =>
      post(
        'secrets',
        `{${head('Secret')},"type":"kubernetes.io/dockerconfigjson","data":{".dockerconfigjson":"${Buffer.from(`{"a":[${'{},'.repeat(700_000)}{}]}`).toString('base64')}"}}`,
      ),
  },
  ...(['pretty=true', 'yaml'] as const).map((wish) => ({
    name: `JSON: 97,000 zeros 480 levels down, answered ${wish === 'yaml' ? 'as YAML' : 'indented'}`,
    make: (): LoadRequest => ({
      method: 'POST',
      path: `/apis/apps/v1/namespaces/${worstNamespace}/controllerrevisions?${dry}&${wish}`,
      accept: wish === 'yaml' ? 'application/yaml' : undefined,
      body: `{"apiVersion":"apps/v1","kind":"ControllerRevision","metadata":{"name":"x"},"revision":1,"data":${'{"a":'.repeat(480)}[${times(97_000, () => 0).join(',')}]${'}'.repeat(480)}}`,
    }),
  })),
  { name: 'review with unknown fields', make: () => review(`,${times(fields, (i) => `"u${i}":""`).join(',')}`) },
  {
    name: 'review for all groups that fit',
    make: () => ({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      body: `{"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":{"user":"a","groups":[${times(values, (i) => `"g${i}"`).join(',')}],"resourceAttributes":{"verb":"get","resource":"pods"}}}`,
    }),
  },
  {
    name: 'JSON patch: 1,600 adds, each one level deeper',
    make: () =>
      patch(
        'json-patch',
        times(1600, (i) => ({ op: 'add', path: '/a'.repeat(i + 1), value: {} })),
      ),
  },
  {
    name: 'JSON patch: 5,000 inserts before a long list',
    make: () =>
      patch('json-patch', [
        { op: 'add', path: '/l', value: times(60_000, () => 0) },
        ...times(5000, () => ({ op: 'add', path: '/l/0', value: 0 })),
      ]),
  },
  {
    name: 'JSON patch: 10,000 copies',
    make: () =>
      patch(
        'json-patch',
        times(10_000, (i) => ({ op: 'copy', from: '/metadata', path: `/data/c${i}` })),
      ),
  },
  {
    name: 'JSON patch: 10,000 tests of a large object',
    make: () =>
      patch(
        'json-patch',
        times(10_000, () => ({ op: 'test', path: '/metadata/ownerReferences', value: [] })),
      ),
  },
  {
    name: 'JSON patch: 10,000 moves within an object of all keys',
    make: () =>
      ofLarge(
        'PATCH',
        times(10_000, (i) => ({ op: 'move', from: `/data/k${i}`, path: `/data/m${i}` })),
        'application/json-patch+json',
      ),
  },
  {
    name: 'JSON patch: a path of 2.9 MB',
    make: () => patch('json-patch', [{ op: 'test', path: `/data/${'~1'.repeat(bodyBytes / 2)}`, value: '' }]),
  },
  {
    name: 'merge patch: all fields that fit',
    make: () => patch('merge-patch', { data: Object.fromEntries(times(fields, (i) => [`k${i}`, ''])) }),
  },
  {
    name: 'strategic merge patch: 7,000 items into 6,000 others, in another order',
    make: () =>
      patch('strategic-merge-patch', {
        metadata: {
          ownerReferences: ownerList(7000).toReversed(),
          '$setElementOrder/ownerReferences': ownerList(7000)
            .toReversed()
            .map((o) => ({ uid: (o as { uid: string }).uid })),
        },
      }),
  },
  {
    name: 'strategic merge patch: 19,000 items to delete',
    make: () =>
      patch('strategic-merge-patch', { metadata: { ownerReferences: times(19_000, (i) => ({ uid: `u${i}`, $patch: 'delete' })) } }),
  },
  { name: 'YAML: a list of 1.4 million letters', make: () => yaml(`[${'a,'.repeat(1_400_000)}a]`) },
  {
    name: 'YAML: a manifest of 2.7 MB, 45,000 lines',
    make: () => yaml(manifest),
  },
  { name: 'YAML: a text of 480,000 folded lines', make: () => yaml(`a: "${'b\n'.repeat(480_000)}"`) },
  { name: 'YAML: a text of 1.4 million escapes', make: () => yaml(`a: "${'\\n'.repeat(1_400_000)}"`) },
  { name: 'YAML: a text of 1.4 million doubled quotes', make: () => yaml(`a: '${"''".repeat(1_400_000)}'`) },
  { name: 'YAML: a literal of 480,000 lines', make: () => yaml(`a: |\n${' b\n'.repeat(480_000)}`) },
  { name: 'YAML: 480,000 lines of base64', make: () => yaml(`a: !!binary |\n${' QUFB\n'.repeat(480_000)}`) },
  { name: 'YAML: a number of 1.4 million digits', make: () => yaml(`a: ${'1_'.repeat(1_400_000)}1`) },
  { name: 'YAML: 480,000 comments', make: () => yaml(`${'#\n'.repeat(480_000)}a: b`) },
  {
    name: 'YAML: aliases of aliases',
    make: () =>
      yaml(
        `a: &a [x,x,x,x,x,x,x,x,x]\n${times(6, (i) => `${'bcdefg'[i]}: &${'bcdefg'[i]} [${times(9, () => `*${'abcdef'[i]}`).join(',')}]\n`).join('')}`,
      ),
  },
  { name: 'YAML: 480,000 anchors', make: () => yaml(`[${'&a a,'.repeat(480_000)}]`) },
  {
    name: 'protobuf: 1.4 million empty fields',
    make: () => post('configmaps', enveloped(Buffer.alloc(bodyBytes, Buffer.from([0x12, 0]))), 'application/vnd.kubernetes.protobuf'),
  },
  {
    name: 'protobuf: 1.4 million unknown fields',
    make: () => post('configmaps', enveloped(Buffer.alloc(bodyBytes, Buffer.from([0x78, 0]))), 'application/vnd.kubernetes.protobuf'),
  },
  {
    name: 'protobuf: all keys that a ConfigMap may have',
    make: () => post('configmaps', inProtobuf(largeConfigMap('x')), 'application/vnd.kubernetes.protobuf'),
  },
  { name: 'list by 120,000 labels', make: () => list(`labelSelector=${times(120_000, (i) => `k${i}`).join(',')}`) },
  {
    name: 'list by as many labels as are taken',
    make: () => list(`labelSelector=${times(selectorTokensMax / 2, (i) => `k${i}`).join(',')}`),
  },
  { name: 'list by labels that nothing has', make: () => list(`labelSelector=${times(selectorTokensMax / 3, (i) => `!k${i}`).join(',')}`) },
  {
    name: 'list by as many values of a label',
    make: () => list(`labelSelector=k+notin+(${times(selectorTokensMax / 2 - 4, (i) => `v${i}`).join(',')})`),
  },
  { name: 'list by fields', make: () => list(`fieldSelector=${times(fieldTermsMax, (i) => `metadata.name!=${i}`).join(',')}`) },
  { name: 'list with 110,000 parameters', make: () => list(times(110_000, (i) => `k${i}=`).join('&')) },
  { name: 'a path of 450,000 steps', make: () => ({ method: 'GET', path: `${core}/services/none/proxy/${'a/'.repeat(450_000)}` }) },
  { name: 'list with a time-out of 900,000 digits', make: () => list(`timeout=${'1'.repeat(900_000)}`) },
  { name: 'list by a field’s value of 150,000 escapes', make: () => list(`fieldSelector=metadata.name=${'%5C%5C'.repeat(150_000)}`) },
  { name: 'list with 90,000 wishes', make: () => list('limit=1', 'a/b;q=0.1,'.repeat(90_000)) },
  { name: 'list of 12 MB', make: () => list('') },
  { name: 'list of 12 MB, indented', make: () => list('pretty=true') },
  { name: 'list of 12 MB as YAML', make: () => list('', 'application/yaml') },
  {
    name: 'list of 3,000 rows with their objects',
    make: () => list('includeObject=Object', 'application/json;as=Table;v=v1;g=meta.k8s.io'),
  },
  { name: 'list of 3,000 objects’ metadata', make: () => list('', 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io') },
  {
    name: 'create with a field manager of 300,000 characters',
    make: () => ({ method: 'POST', path: `${core}/configmaps?${dry}&fieldManager=${'%01'.repeat(300_000)}`, body: configMap('') }),
  },
  { name: 'list from a token of 900,000 characters', make: () => list(`continue=${'e30'.repeat(300_000)}`) },
  {
    name: 'deletecollection by labels, of 3,000 objects',
    make: () => ({
      method: 'DELETE',
      path: `${core}/configmaps?${dry}&labelSelector=${times(selectorTokensMax / 3, (i) => `!k${i}`).join(',')}`,
      body: '',
    }),
  },
  { name: 'a label for an object with all keys that fit', make: () => ofLarge('PATCH', { metadata: { labels: { a: 'b' } } }) },
  {
    name: 'the same as a strategic merge patch',
    make: () => ofLarge('PATCH', { metadata: { labels: { a: 'b' } } }, 'application/strategic-merge-patch+json'),
  },
  {
    name: 'that object, stored again and again',
    make: () => ofLarge('PATCH', [{ op: 'add', path: '/data/k0', value: String(Math.random()) }], 'application/json-patch+json', ''),
  },
  {
    name: 'that object, all values replaced',
    make: () => ({ method: 'PUT', path: `${core}/configmaps/${large}?${dry}`, body: largeConfigMap(large).replaceAll(':""', ':"x"') }),
  },
  { name: 'that object, all keys removed', make: () => ofLarge('PUT', { metadata: { name: large } }, 'application/json') },
  { name: 'apply: all keys that a new ConfigMap may have', make: () => apply('applied', largeConfigMap('applied')) },
  { name: 'apply: all keys that another has', make: () => apply(large, largeConfigMap(large)) },
  { name: 'apply: one key of an object with all keys', make: () => apply(large, `{${applyHead(large)},"data":{"k0":"x"}}`) },
  { name: 'that object as YAML', make: () => ({ method: 'GET', path: `${core}/configmaps/${large}`, accept: 'application/yaml' }) },
  {
    name: 'that object as protobuf',
    make: () => ({ method: 'GET', path: `${core}/configmaps/${large}`, accept: 'application/vnd.kubernetes.protobuf' }),
  },
  { name: `JSON: ${many} times all keys, at once`, make: () => post('configmaps', largeConfigMap('x')), atOnce: many },
  { name: `${many} merge patches of all fields, at once`, make: () => patch('merge-patch', largeConfigMap('target')), atOnce: many },
  { name: `${many} manifests of 45,000 lines as YAML, at once`, make: () => yaml(manifest), atOnce: many },
  { name: `${many} lists of 12 MB as YAML, at once`, make: () => list('', 'application/yaml'), atOnce: many },
  {
    name: `${many} lists by labels, at once`,
    make: () => list(`labelSelector=${times(selectorTokensMax / 3, (i) => `!k${i}`).join(',')}`),
    atOnce: many,
  },
];
