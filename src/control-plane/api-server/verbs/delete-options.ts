/** DeleteOptions from a request's body and query, checked. Upstream: apiserver/pkg/endpoints/handlers/delete.go. */
import type { DeleteOptions } from '../../../api/generated/meta-v1.ts';
import { errors, type FieldError, fieldErrors } from '../../../api/meta/status-error.ts';
import { parseBody } from '../../../api/schema/body.ts';
import { DecodeError, decode } from '../../../api/schema/decode.ts';
import { objectSchema } from '../../../api/schema/types.ts';
import type { BodyContent, ResourceRequest } from '../request/api-request.ts';
import { refuse } from '../request/refusals.ts';

const schema = objectSchema('io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions');
const policies = ['Foreground', 'Background', 'Orphan'];

/** Where there is a body, the query is not looked at. */
export async function readDeleteOptions(request: ResourceRequest): Promise<DeleteOptions> {
  const content = await request.body?.read();
  const options = content && !('text' in content && content.text === '') ? decodeOptions(content) : optionsOfQuery(request);
  const { kind, apiVersion = '' } = options;
  if (kind && kind !== 'DeleteOptions') {
    const version = JSON.stringify(apiVersion);
    throw errors.badRequest(`no kind ${JSON.stringify(kind)} is registered for version ${version} in scheme "pkg/runtime/scheme.go:111"`);
  }
  if (content) request.sent = { ...options, kind: 'DeleteOptions', apiVersion: 'v1' };
  refuse({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', validateDeleteOptions(options));
  return options;
}

function optionsOfQuery({ options: { deletion, dryRun } }: ResourceRequest): DeleteOptions {
  return { ...deletion, ...(dryRun && { dryRun }) };
}

function decodeOptions(content: BodyContent): DeleteOptions {
  const value = 'text' in content ? parseBody(content.text, 'DeleteOptions') : (content.value as Record<string, unknown>);
  try {
    return decode(schema, value).value as DeleteOptions;
  } catch (error) {
    if (error instanceof DecodeError) throw errors.badRequest(error.message);
    throw error;
  }
}

function validateDeleteOptions(options: DeleteOptions): readonly FieldError[] {
  const found: FieldError[] = [];
  const { orphanDependents, propagationPolicy, dryRun } = options;
  if (orphanDependents !== undefined && propagationPolicy !== undefined) {
    const detail = 'orphanDependents and deletionPropagation cannot be both set';
    found.push(fieldErrors.invalid('propagationPolicy', propagationPolicy, detail));
  }
  if (propagationPolicy !== undefined && !policies.includes(propagationPolicy))
    found.push(fieldErrors.notSupported('propagationPolicy', propagationPolicy, [...policies, 'nil']));
  if (dryRun?.some((value) => value !== 'All')) found.push(fieldErrors.notSupported('dryRun', dryRun, ['All']));
  return found;
}
