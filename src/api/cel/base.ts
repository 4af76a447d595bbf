/** The environment that every expression of the API has: all libraries, no variables. */

import { Environment } from './environment.ts';
import { authorizationLibrary } from './library/authorization.ts';
import { formatLibrary } from './library/formats.ts';
import { listLibrary } from './library/lists.ts';
import { ADDRESS, NETWORK, networkLibrary } from './library/network.ts';
import { optionalLibrary } from './library/optionals.ts';
import { quantityLibrary } from './library/quantities.ts';
import { standardLibrary } from './library/standard.ts';
import { stringLibrary } from './library/strings.ts';
import { versionLibrary } from './library/versions.ts';

export const baseEnvironment: Environment = Environment.empty.extend({
  functions: [
    ...standardLibrary,
    ...optionalLibrary,
    ...stringLibrary,
    ...listLibrary,
    ...networkLibrary,
    ...quantityLibrary,
    ...versionLibrary,
    ...formatLibrary,
    ...authorizationLibrary,
  ],
  types: [ADDRESS, NETWORK],
});
