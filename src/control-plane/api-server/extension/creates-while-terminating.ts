/** Nothing is created of a custom resource whose definition is being deleted. Upstream: apiextensions-apiserver (forbidCreateAdmission). */
import { CustomResourceDefinition } from '../../../api/generated/kinds.ts';
import { isTerminating } from '../../../api/kinds/apiextensions/custom-kind.ts';
import { isCustom } from '../../../api/meta/kind.ts';
import { errors } from '../../../api/meta/status-error.ts';
import type { AdmissionPlugin } from '../admission/plugin.ts';
import type { ObjectReader } from '../cache/reader.ts';

export const createsWhileTerminating = (reader: ObjectReader): AdmissionPlugin => ({
  name: 'CustomResourceTerminating',
  handles: (kind, operation) => isCustom(kind) && operation === 'CREATE',
  admit({ kind, name }) {
    const definition = reader.get(CustomResourceDefinition, { name: `${kind.resource}.${kind.group}` });
    if (!definition || !isTerminating(definition)) return undefined;
    throw errors.forbidden(kind, name, 'create not allowed while custom resource definition is terminating');
  },
});
