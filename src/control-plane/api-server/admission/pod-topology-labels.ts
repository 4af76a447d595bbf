/**
 * A pod learns the zone and the region of its node as labels of its own, when it is bound or made there.
 * Upstream: plugin/pkg/admission/podtopologylabels/admission.go.
 */
import type { Binding } from '../../../api/generated/core-v1.ts';
import { Node, Pod } from '../../../api/generated/kinds.ts';
import { isKind, type KubeObject } from '../../../api/meta/object.ts';
import { regionLabel, zoneLabel } from '../../../api/meta/well-known.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { AdmissionPlugin } from './plugin.ts';

const topologyLabels = [zoneLabel, regionLabel];

export const podTopologyLabels = (reader: ObjectReader): AdmissionPlugin => ({
  name: 'PodTopologyLabels',
  handles: (kind, operation, subresource) => isKind(kind, Pod) && operation === 'CREATE' && (!subresource || subresource === 'binding'),
  admit({ object, subresource }) {
    const nodeName = subresource ? targetOf(object as unknown as Binding) : (object as Pod).spec.nodeName;
    const node = nodeName === undefined ? undefined : reader.get(Node, { name: nodeName });
    const labels = Object.entries(node?.metadata.labels ?? {}).filter(([name]) => topologyLabels.includes(name));
    if (labels.length === 0) return undefined;
    const { metadata } = object as KubeObject;
    return { ...object, metadata: { ...metadata, labels: { ...metadata.labels, ...Object.fromEntries(labels) } } } as KubeObject;
  },
});

const targetOf = ({ target }: Binding): string | undefined => (target.kind === 'Node' ? target.name : undefined);
