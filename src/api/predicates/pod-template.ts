/** Where a workload keeps the template of its pods. */
import type { PodTemplateSpec } from '../generated/core-v1.ts';
import type { KubeObject } from '../meta/object.ts';
import { own } from '../meta/words.ts';

type Get = (object: KubeObject) => PodTemplateSpec | undefined;
interface Templated {
  readonly template?: PodTemplateSpec;
  readonly spec?: {
    readonly template?: PodTemplateSpec;
    readonly jobTemplate?: { readonly spec?: { readonly template?: PodTemplateSpec } };
  };
}

const ofSpec: Get = (object) => (object as Templated).spec?.template;
const places: Readonly<Record<string, Get>> = {
  podtemplates: (object) => (object as Templated).template,
  replicationcontrollers: ofSpec,
  'replicasets.apps': ofSpec,
  'deployments.apps': ofSpec,
  'statefulsets.apps': ofSpec,
  'daemonsets.apps': ofSpec,
  'jobs.batch': ofSpec,
  'cronjobs.batch': (object) => (object as Templated).spec?.jobTemplate?.spec?.template,
};

/** Undefined for a kind that makes no pods. */
export const templateGetter = ({ group, resource }: { readonly group: string; readonly resource: string }): Get | undefined =>
  own(places, group ? `${resource}.${group}` : resource);
