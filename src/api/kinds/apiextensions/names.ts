/** Names of custom resources. Upstream: apiextensions-apiserver/pkg/apis/apiextensions/validation. */
import type { CustomResourceDefinitionNames } from '../../generated/apiextensions-v1.ts';
import { checkDns1035Label } from '../../meta/names.ts';
import { all, each, fields, filled } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';

const mixed = 'may have mixed case, but should otherwise match: ';

/** All that is wrong with it in one sentence. */
const label = (intro = ''): Rule<string> =>
  filled((name, walk) => {
    const messages = checkDns1035Label(intro ? name.toLowerCase() : name);
    if (messages.length) walk.invalid('', name, intro + messages.join(','));
  });

export const resourceNames = all<CustomResourceDefinitionNames>(
  fields({ plural: label(), singular: label(), kind: label(mixed), listKind: label(mixed), shortNames: each(label()) }),
  ({ kind, listKind }, walk) => {
    if (kind && kind === listKind) walk.invalid('listKind', listKind, 'kind and listKind may not be the same');
  },
  fields({ categories: each(label()) }),
);
