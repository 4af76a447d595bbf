/** Resources whose every use is answered with a warning. Upstream: APILifecycleDeprecated of the types in k8s.io/api. */
import type { Kind } from '../../api/meta/kind.ts';

const warnings: Readonly<Record<string, string>> = {
  '/v1/componentstatuses': 'v1 ComponentStatus is deprecated in v1.19+',
  '/v1/endpoints': 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
};

export const deprecationOf = (kind: Kind): string | undefined => warnings[`${kind.group}/${kind.version}/${kind.resource}`];
