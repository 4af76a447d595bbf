/** Conditions of flow control. Upstream: pkg/apis/flowcontrol/validation/validation.go. */
import { fields, required, uniqueBy } from '../../schema/rules/rules.ts';

interface Condition {
  readonly type?: string;
}

export const flowStatus = fields<{ readonly conditions?: readonly Condition[] }>({
  conditions: uniqueBy<Condition>(({ type = '' }) => type, { at: 'type', after: fields<Condition>({ type: required() }) }),
});
