/** What authorization and the audit's policy ask of a request: who wants to do what to which resource or path. Pure. */
import { type ApiRequest, resourceOf } from './api-request.ts';
import type { RequestAttributes } from './request.ts';

export function attributesOf(request: ApiRequest, verb: string = request.verb): RequestAttributes {
  const { user, target } = request;
  const resource = resourceOf(target);
  if (!resource) return { user, verb, path: request.path, resource };
  if (target.type !== 'resource') return { user, verb, path: '', resource };
  const { name } = target;
  const fieldSelector = verb === 'list' || verb === 'watch' || verb === 'deletecollection' ? request.options.fieldSelector : undefined;
  return {
    user,
    verb,
    path: '',
    resource: {
      ...resource,
      namespace: namespaceOf(target, name),
      name: name ?? nameInSelector(fieldSelector),
      fieldSelector,
    },
  };
}

/** The namespace that authorization and admission see: a Namespace is in itself. */
export function namespaceOf(
  { kind, namespace }: { readonly kind: { readonly group: string; readonly resource: string }; readonly namespace: string | undefined },
  name: string | undefined,
): string | undefined {
  return kind.resource === 'namespaces' && kind.group === '' ? name : namespace;
}

/** Who lists by `metadata.name=…` asks for that one object: the rights to it are enough. */
const nameInSelector = (fieldSelector: string | undefined): string | undefined =>
  fieldSelector === undefined ? undefined : /(?:^|,)metadata\.name==?([^,=]+)(?:,|$)/.exec(fieldSelector)?.[1];
