/**
 * Rules of containers: what all have in common, then what is special to init, regular and ephemeral ones.
 * Upstream: pkg/apis/core/validation/validation.go.
 */

import type {
  Container,
  ContainerPort,
  ContainerResizePolicy,
  ContainerRestartRule,
  EphemeralContainer,
  VolumeMount,
} from '../../../generated/core-v1.ts';
import { checkPortName } from '../../../meta/names.ts';
import { all, demanded, each, eachBy, evenAbsent, fields, itemsMax, oneOf, required } from '../../../schema/rules/rules.ts';
import type { Rule } from '../../../schema/rules/walk.ts';
import { listOf } from '../../lists.ts';
import { dnsLabel, portNumber } from '../../shared-rules.ts';
import type { SpecContext } from './context.ts';
import type { AnyContainer } from './each-container.ts';
import { env, envFrom } from './env-checks.ts';
import { volumeDevices, volumeMounts } from './mount-checks.ts';
import { lifecycle, livenessProbe, readinessProbe } from './probe-checks.ts';
import { containerResourceRules } from './resource-checks.ts';
import { securityContext } from './security-checks.ts';

const probeFields = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;

const portFields = fields<ContainerPort>({
  containerPort: evenAbsent((port, walk) => {
    if (port) portNumber(port, walk, undefined);
    else walk.required('');
  }),
  hostPort: (port, walk) => {
    if (port) portNumber(port, walk, undefined);
  },
  protocol: required(oneOf('SCTP', 'TCP', 'UDP')),
});
const ports = eachBy<ContainerPort>(() => {
  const names = new Set<string>();
  return (port, walk, old) => {
    const { name } = port;
    if (name) {
      const messages = checkPortName(name);
      for (const message of messages) walk.invalid('name', name, message);
      if (!messages.length && names.has(name)) walk.duplicate('name', name);
      if (!messages.length) names.add(name);
    }
    portFields(port, walk, old);
  };
});

/** Of a list of containers: two of one pod can't have the same port of the host. */
function takesHostPorts(): Rule<Container> {
  const taken = new Set<string>();
  return (container, walk) => {
    for (const [i, { protocol, hostIP = '', hostPort }] of listOf(container.ports).entries()) {
      if (!hostPort) continue;
      const text = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(text)) walk.duplicate(`ports[${i}].hostPort`, text);
      taken.add(text);
    }
  };
}

const resizeOf = required(oneOf('cpu', 'memory'));
const resizeBy = required(oneOf('NotRequired', 'RestartContainer'));
const resizePolicy = eachBy<ContainerResizePolicy>((_, { about }) => {
  const seen = new Set<string>();
  const never = (about as SpecContext).spec.restartPolicy === 'Never';
  return ({ resourceName, restartPolicy }, walk) => {
    if (seen.has(resourceName)) walk.duplicate('', resourceName);
    seen.add(resourceName);
    walk.outside(() => {
      resizeOf(resourceName, walk, undefined);
      resizeBy(restartPolicy, walk, undefined);
      if (never && restartPolicy !== 'NotRequired') {
        walk.invalid('', restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'");
      }
    });
  };
});

const common = all<AnyContainer>(
  fields({
    name: required(dnsLabel),
    image: required(),
    terminationMessagePolicy: required(oneOf('File', 'FallbackToLogsOnError')),
    ports,
    env,
    envFrom,
  }),
  volumeMounts,
  volumeDevices,
  fields({
    imagePullPolicy: required(oneOf('Always', 'IfNotPresent', 'Never')),
    resources: containerResourceRules,
    resizePolicy,
    securityContext,
  }),
);

/** Hooks and probes, of containers that live as long as the pod. */
const life = fields<Container>({ lifecycle, livenessProbe, readinessProbe, startupProbe: livenessProbe });

const exitCodes = fields<NonNullable<ContainerRestartRule['exitCodes']>>({ operator: demanded('In', 'NotIn'), values: itemsMax(255) });
const restartRule = all<ContainerRestartRule>(
  fields({ action: demanded('Restart', 'RestartAllContainers') }),
  ({ exitCodes: codes }, walk) => {
    if (codes) walk.check('exitCodes', codes, exitCodes);
    else walk.required('exitCodes', 'must be specified');
  },
);
const restart = all<Container>(
  ({ restartPolicy, restartPolicyRules: rules }, walk) => {
    if (restartPolicy === undefined && rules?.length) {
      walk.required('restartPolicy', 'must specify restartPolicy when restart rules are used');
    }
  },
  fields({ restartPolicy: oneOf('Always', 'Never', 'OnFailure'), restartPolicyRules: all(itemsMax(20), each(restartRule)) }),
);

export const containers = all<readonly Container[]>(
  required<readonly Container[]>(),
  eachBy(() => {
    const names = new Set<string>();
    return (container, walk, old) => {
      common(container, walk, old);
      if (names.has(container.name)) walk.duplicate('name', container.name);
      names.add(container.name);
      life(container, walk, old);
      restart(container, walk, old);
    };
  }),
  eachBy(takesHostPorts),
);

const onlySidecars: Rule<Container> = (container, walk) => {
  for (const field of ['lifecycle', ...probeFields] as const) {
    if (container[field]) walk.forbidden(field, 'may not be set for init containers without restartPolicy=Always');
  }
  for (const [i, { restartPolicy }] of listOf(container.resizePolicy).entries()) {
    if (restartPolicy !== 'RestartContainer') continue;
    const message = "must not be set to 'RestartContainer' for non-sidecar initContainers";
    walk.invalid(`resizePolicy[${i}].restartPolicy`, restartPolicy, message);
  }
};

export const initContainers = eachBy<Container>((_, { about }) => {
  const names = new Set(listOf((about as SpecContext).spec.containers).map((container) => container.name));
  return (container, walk, old) => {
    common(container, walk, old);
    restart(container, walk, old);
    if (names.has(container.name)) walk.duplicate('name', container.name);
    else if (container.name) names.add(container.name);
    // Upstream looks at lists of one.
    walk.outside(() => walk.check(0, container, takesHostPorts()));
    (container.restartPolicy === 'Always' ? life : onlySidecars)(container, walk, old);
  };
});

const forbiddenToEphemeral = [
  'ports',
  'resources',
  ...probeFields,
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
] as const;

const noSubPaths: Rule<VolumeMount> = (mount, walk) => {
  for (const field of ['subPath', 'subPathExpr'] as const) {
    if (mount[field]) walk.forbidden(field, 'cannot be set for an Ephemeral Container');
  }
};
const ephemeral = all<EphemeralContainer>(
  (container, walk) => {
    for (const field of forbiddenToEphemeral) {
      const value: unknown = container[field];
      const empty = value === undefined || (field === 'resources' && !Object.keys(value as object).length);
      if (!empty) walk.forbidden(field, 'cannot be set for an Ephemeral Container');
    }
  },
  fields({ volumeMounts: each(noSubPaths) }),
);

export const ephemeralContainers = eachBy<EphemeralContainer>((_, { about }) => {
  const { spec } = about as SpecContext;
  const others = new Set([...listOf(spec.containers), ...listOf(spec.initContainers)].map((container) => container.name));
  const names = new Set(others);
  return (container, walk, old) => {
    common(container, walk, old);
    imageSpaces(container, walk, old);
    if (names.has(container.name)) walk.duplicate('name', container.name);
    names.add(container.name);
    const target = container.targetContainerName;
    if (target && !others.has(target)) walk.notFound('targetContainerName', target);
    ephemeral(container, walk, old);
  };
});

/** Only of pods: templates have kept such images from of old. */
export const imageSpaces: Rule<AnyContainer> = ({ image = '' }, walk) => {
  if (image.trim() !== image) walk.invalid('image', image, 'must not have leading or trailing whitespace');
};
