/**
 * The objects of a request as those who are asked about it see them, in the version that they want, with managedFields;
 * and what they make of them, as it goes on.
 * Upstream: apiserver/pkg/admission/conversion.go.
 */
import type { ManagedFieldsEntry } from '../../../../api/generated/meta-v1.ts';
import { inVersion } from '../../../../api/kinds/registry.ts';
import { withDefaults, withNames } from '../../../../api/kinds/write-steps.ts';
import { equalJson } from '../../../../api/meta/deep-equal.ts';
import type { Kind } from '../../../../api/meta/kind.ts';
import { apiVersionOf, type KubeObject } from '../../../../api/meta/object.ts';
import { own } from '../../../../api/meta/words.ts';
import { type BodyType, bodyTypeOf, decodeBody, type FieldValidation } from '../../../../api/schema/body.ts';
import { parseJSON } from '../../../../api/schema/json-scan.ts';
import type { ManagedPart } from '../../../store/managed-part.ts';
import type { AdmissionRequest } from '../../request/request.ts';
import { takeInTurns } from '../../request/yield-turn.ts';
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

/** The type in which objects of a kind are shown: through a subresource that has one of its own (a Scale), in that. */
export function shownType(kind: Kind, subresource: string | undefined): BodyType {
  const ownType = subresource ? own(kind.subresources, subresource)?.kind : undefined;
  return !ownType || (ownType.group === kind.group && ownType.kind === kind.kind) ? kind : bodyTypeOf(ownType);
}

export interface Decoding {
  readonly kind: Kind;
  /** the `shownType` */
  readonly type: BodyType;
  readonly fieldValidation: FieldValidation;
  readonly isLarge: boolean;
}

/** What somebody has made of an object, decoded anew and, of the kind's own type, with its defaults. Throws as for a body. */
export async function decodeChanged(document: unknown, { kind, type, fieldValidation, isLarge }: Decoding): Promise<KubeObject> {
  const { object } = decodeBody(type, document as Record<string, unknown>, { fieldValidation });
  return type === kind ? await takeInTurns(withDefaults(kind, withNames(object, kind)), isLarge) : object;
}
