/**
 * The objects of a request as those who are asked about it see them: in the version that they want, with managedFields.
 * Upstream: apiserver/pkg/admission/conversion.go.
 */
import type { ManagedFieldsEntry } from '../../../../api/generated/meta-v1.ts';
import { inVersion } from '../../../../api/kinds/registry.ts';
import { equalJson } from '../../../../api/meta/deep-equal.ts';
import type { Kind } from '../../../../api/meta/kind.ts';
import { apiVersionOf, type KubeObject } from '../../../../api/meta/object.ts';
import { parseJSON } from '../../../../api/schema/json-scan.ts';
import type { ManagedPart } from '../../../store/managed-part.ts';
import type { AdmissionRequest } from '../../request/request.ts';
import type { Shown } from './admission-review.ts';

export async function showTo({ kind: from, object, oldObject, managed }: AdmissionRequest, kind: Kind): Promise<Shown> {
  return {
    kind,
    object: object && show(await inKind(object, from, kind), managed?.object),
    oldObject: oldObject && show(await inKind(oldObject, from, kind), managed?.old),
  };
}

/** With its managers, unless somebody has changed them; a new object has no name yet that is to be generated. */
function show(object: KubeObject, managed: ManagedPart | undefined): KubeObject {
  const { name, namespace, managedFields: changed, ...rest } = object.metadata;
  const managedFields = changed ?? (managed && managersIn(managed));
  const metadata = { ...(name && { name }), ...(namespace && { namespace }), ...rest, ...(managedFields?.length && { managedFields }) };
  return { ...object, metadata };
}

const managersIn = (part: ManagedPart): readonly ManagedFieldsEntry[] => parseJSON(part.toString()) as readonly ManagedFieldsEntry[];

/** Managers are named by an object of which somebody has changed them, and by no other. */
export function withChangedManagers(object: KubeObject, before: KubeObject | undefined): KubeObject {
  const { managedFields = [], ...metadata } = object.metadata;
  const isSame = equalJson(managedFields, before?.metadata.managedFields ?? []);
  return { ...object, metadata: isSame ? metadata : { ...metadata, managedFields } };
}

/** What is no object of the kind (a Binding, a Scale) has no other version. */
export const inKind = (object: KubeObject, from: Kind, to: Kind): KubeObject | Promise<KubeObject> =>
  object.apiVersion === apiVersionOf(from) ? inVersion(object, from, to) : object;
