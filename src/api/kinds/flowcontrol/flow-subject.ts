/** Whose requests a flow schema is about. Upstream: pkg/apis/flowcontrol/validation/validation.go. */

import type { Subject } from '../../generated/flowcontrol-v1.ts';
import { nameIsDnsLabel, nameIsDnsSubdomain } from '../../meta/names.ts';
import { fields, format, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';

/** In the order in which upstream looks at them, after the one that the kind names. */
const kinds = { serviceAccount: 'ServiceAccount', user: 'User', group: 'Group' } as const;
const subjectFields = ['serviceAccount', 'user', 'group'] as const;

export const flowSubject: Rule<Subject> = (subject, walk) => {
  const { kind = '' } = subject;
  const own = subjectFields.find((field) => kinds[field] === kind);
  if (!own) return walk.notSupported('kind', kind, ['Group', 'ServiceAccount', 'User']);
  if (subject[own]) walk.check(own, subject[own], own === 'serviceAccount' ? account : named);
  else walk.required(own, `${own} is required when subject kind is '${kind}'`);
  for (const field of subjectFields) {
    if (field !== own && subject[field]) walk.forbidden(field, `${field} is forbidden when subject kind is not '${kinds[field]}'`);
  }
};

const named = fields<{ readonly name: string }>({ name: required() });
const account: Rule<{ readonly name: string; readonly namespace?: string }> = fields({
  name: required(format((name) => (name === '*' ? [] : nameIsDnsSubdomain(name, false)))),
  namespace: required(
    format((name) => nameIsDnsLabel(name, false)),
    'must specify namespace for service account',
  ),
});
