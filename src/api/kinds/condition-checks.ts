/** Rules of conditions of the common form. Upstream: apimachinery/pkg/apis/meta/v1/validation/validation.go. */
import type { Condition } from '../generated/meta-v1.ts';
import { regexMessage } from '../meta/names.ts';
import { all, countedAs, demanded, fields, lengthMax, min, refuse, required, uniqueBy } from '../schema/rules/rules.ts';
import { qualifiedName } from './shared-rules.ts';

const reasonMax = 1024;
const messageMax = 32 * 1024;
const reasonFormat = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const reasonPattern = new RegExp(`^${reasonFormat}$`);
const reasonMessage = regexMessage(
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', " +
    "and must end with an alphanumeric character or '_'",
  reasonFormat,
  'my_name',
  'MY_NAME',
  'MyName',
  'ReasonA,ReasonB',
  'ReasonA:ReasonB',
);

const condition = fields<Condition>({
  type: countedAs('', qualifiedName),
  status: demanded('False', 'True', 'Unknown'),
  observedGeneration: min(0, 'must be greater than or equal to zero'),
  lastTransitionTime: required(),
  reason: required(
    all(
      refuse((reason: string) => !reasonPattern.test(reason), reasonMessage),
      lengthMax(reasonMax),
    ),
  ),
  message: lengthMax(messageMax),
});

export const conditions = uniqueBy<Condition>(({ type }) => type, { at: 'type', after: condition });
