import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseRoute } from './route.ts';

const rows: readonly { readonly given: string; readonly want: string }[] = [
  { given: 'GET /api/v1/pods', want: 'list /v1/pods' },
  { given: 'GET /api/v1/pods?watch=true', want: 'watch /v1/pods' },
  { given: 'GET /api/v1/pods?watch=0', want: 'list /v1/pods' },
  { given: 'GET /api/v1/watch/namespaces/a/pods', want: 'watch /v1/pods in a' },
  { given: 'GET /api/v1/watch/namespaces/a/pods/p', want: 'watch /v1/pods p in a' },
  { given: 'POST /api/v1/namespaces/a/pods', want: 'create /v1/pods in a' },
  { given: 'GET /api/v1/namespaces/a/pods/p', want: 'get /v1/pods p in a' },
  { given: 'GET /api/v1/namespaces/a/pods/p?watch=true', want: 'get /v1/pods p in a' },
  { given: 'PUT /api/v1/namespaces/a/pods/p/status', want: 'update /v1/pods p/status in a' },
  { given: 'POST /api/v1/namespaces/a/pods/p/exec', want: 'create /v1/pods p/exec in a' },
  { given: 'GET /api/v1/namespaces/a/services/s:80/proxy/x/y%20z', want: 'get /v1/services s:80/proxy in a + /x/y z' },
  { given: 'GET /apis/a/v1/watch/namespaces/b/c/d/proxy/1//2/3%2F4//', want: 'watch a/v1/c d/proxy in b + /1//2/3/4/' },
  { given: 'OPTIONS /api/v1/namespaces/a/pods/p/proxy/x', want: ' /v1/pods p/proxy in a + /x' },
  { given: 'TRACE /api/v1/pods', want: ' /v1/pods' },
  { given: 'GET /api/v1/namespaces', want: 'list /v1/namespaces' },
  { given: 'GET /api/v1/namespaces/a', want: 'get /v1/namespaces a' },
  { given: 'PUT /api/v1/namespaces/a/finalize', want: 'update /v1/namespaces a/finalize' },
  { given: 'PATCH /api/v1/namespaces/a/status', want: 'patch /v1/namespaces a/status' },
  { given: 'DELETE /apis/apps/v1/namespaces/a/deployments', want: 'deletecollection apps/v1/deployments in a' },
  { given: 'DELETE /apis/apps/v1/namespaces/a/deployments/d', want: 'delete apps/v1/deployments d in a' },
  {
    given: 'GET /apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode',
    want: 'get rbac.authorization.k8s.io/v1/clusterroles system:node',
  },
  { given: 'GET /apis/apps/v1', want: 'path' },
  { given: 'GET /apis', want: 'path' },
  { given: 'GET /api/v1/', want: 'path' },
  { given: 'GET /healthz', want: 'path' },
  { given: 'GET /apiary/v1/pods', want: 'path' },
];

function describeRoute(text: string): string {
  const [method = '', url = ''] = text.split(' ');
  const [path = '', query] = url.split('?');
  const route = parseRoute(method, path, query === undefined ? undefined : new URLSearchParams(query));
  if (route.type === 'nonResource') return 'path';
  const { verb, group, version, resource, name, subresource, namespace, rest } = route;
  const named = name ? ` ${name}${subresource ? `/${subresource}` : ''}` : '';
  return `${verb} ${group}/${version}/${resource}${named}${namespace ? ` in ${namespace}` : ''}${rest ? ` + ${rest}` : ''}`;
}

it('takes URLs apart', () => {
  for (const { given, want } of rows) assert.equal(describeRoute(given), want, given);
});

it('knows what is no URL', () => {
  assert.throws(() => describeRoute('GET /api/v1/pods/%zz'), URIError);
});
