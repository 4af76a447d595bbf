/**
 * The kinds that a CustomResourceDefinition makes: one per version, served or not. Pure. What costs something (schema,
 * paths) is made when it is first asked for: a definition that nobody uses costs its bytes.
 * Upstream: apiextensions-apiserver/pkg/apiserver/customresource_handler.go, registry/customresource/strategy.go.
 */
import type { CustomResourceDefinitionSpec, CustomResourceDefinitionVersion } from '../../generated/apiextensions-v1.ts';
import type { CustomResourceDefinition } from '../../generated/kinds.ts';
import { isConditionTrue } from '../../meta/conditions.ts';
import type { FieldGetter, Kind, KindHooks, RemoteConversion, Subresource, Verb } from '../../meta/kind.ts';
import { checkQualifiedName, nameIsDnsSubdomain } from '../../meta/names.ts';
import type { KubeObject } from '../../meta/object.ts';
import { versionPriority } from '../define-kind.ts';
import type { ServedResource } from '../kind-snapshot.ts';
import { listOf } from '../lists.ts';
import { omit } from '../set-defaults.ts';
import { customDisplay } from './custom-columns.ts';
import { customScale, scaleRule } from './custom-scale.ts';
import { CustomVersions } from './custom-versions.ts';
import { selectableFieldsOf } from './selectable-fields.ts';

type Definition = CustomResourceDefinition;
type Version = CustomResourceDefinitionVersion;
type CustomResource = KubeObject & { readonly status?: unknown };

const verbs: readonly Verb[] = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
const viewVerbs = ['get', 'patch', 'update'];
const noWarnings: readonly string[] = [];
const standardFinalizers = new Set(['orphan', 'foregroundDeletion', 'kubernetes']);

/** Who converts between the versions of a definition whose strategy is Webhook. */
export type Converter = (definition: Definition) => RemoteConversion;

/** Whether requests for the objects are answered. Discovery shows them once the definition is established. */
export const isServed = ({ status }: Definition): boolean =>
  isConditionTrue(listOf(status.conditions), 'NamesAccepted') || isConditionTrue(listOf(status.conditions), 'Established');

export const isTerminating = ({ status }: Definition): boolean => isConditionTrue(listOf(status.conditions), 'Terminating');

/** What a definition asks the server to serve; undefined: nothing yet. */
export function customResource(definition: Definition, converter: Converter): ServedResource | undefined {
  const { spec, status } = definition;
  const { acceptedNames } = status;
  const stored = listOf(spec.versions).find(({ storage }) => storage);
  if (!isServed(definition) || !stored || !acceptedNames?.plural || !acceptedNames.kind) return undefined;
  const versions = new CustomVersions(spec);
  const convertRemotely = spec.conversion?.strategy === 'Webhook' ? versions.remotely(converter(definition)) : undefined;
  const kinds = new Map(
    listOf(spec.versions).map((version) => [version, customKind(definition, { version, stored, versions, convertRemotely })]),
  );
  const kindsThatAre = (served: boolean): readonly Kind[] =>
    [...kinds].filter(([version]) => version.served === served).map(([, kind]) => kind);
  const storedKind = kinds.get(stored);
  if (!storedKind) return undefined;
  return {
    group: spec.group,
    resource: acceptedNames.plural,
    versions: kindsThatAre(true),
    stored: storedKind,
    unserved: kindsThatAre(false),
  };
}

interface OfVersion {
  readonly version: Version;
  readonly stored: Version;
  readonly versions: CustomVersions;
  readonly convertRemotely: RemoteConversion | undefined;
}

function customKind(definition: Definition, { version, stored, versions, convertRemotely }: OfVersion): Kind {
  const { spec, status } = definition;
  const { group } = spec;
  const { plural = '', singular = '', kind = '', listKind = '', shortNames, categories } = status.acceptedNames ?? {};
  const namespaced = spec.scope === 'Namespaced';
  const { scale } = version.subresources ?? {};
  const display = customDisplay(listOf(version.additionalPrinterColumns));
  let selectable: ReadonlyMap<string, FieldGetter<KubeObject>> | undefined;
  return {
    group,
    version: version.name,
    kind,
    resource: plural,
    namespaced,
    typeName: '',
    schema: versions.schema(version.name),
    storageVersion: { group, version: stored.name },
    hashedVersion: stored.name,
    convert: versions.conversion(version.name, stored.name),
    convertRemotely,
    singular,
    listKind,
    shortNames: listOf(shortNames),
    categories: listOf(categories),
    verbs,
    subresources: subresourcesOf({ group, version: version.name, kind }, version),
    scale: scale && customScale(scale),
    get columns() {
      return display.columns;
    },
    get selectableFields() {
      selectable ??= selectableFieldsOf(namespaced, listOf(version.selectableFields));
      return selectable;
    },
    describeUnknownField: (field) => `field label not supported: ${field}`,
    hooks: hooksOf(version, display.cells),
    hasGeneration: true,
    validateName: nameIsDnsSubdomain,
    returnsDeletedObject: false,
    orphansByDefault: false,
    isCollected: true,
    isComputed: false,
    allowCreateOnUpdate: false,
    allowUnconditionalUpdate: false,
    storagePrefix: `${group}/${plural}`,
    indexedField: undefined,
    bulkyFields: [],
    ttlSeconds: undefined,
    definition: {
      uid: definition.metadata.uid ?? '',
      generation: definition.metadata.generation ?? 0,
      selectableFields: listOf(version.selectableFields).map(({ jsonPath }) => jsonPath.replace(/^\./, '')),
      schema: () => versions.said(version.name),
    },
    isTerminating: isTerminating(definition),
    deprecation: version.deprecated ? (version.deprecationWarning ?? deprecationOf(version, spec)) : undefined,
  };
}

function subresourcesOf(kind: Subresource['kind'], { subresources }: Version): Kind['subresources'] {
  return {
    ...(subresources?.status && { status: { verbs: viewVerbs, kind } }),
    ...(subresources?.scale && { scale: { verbs: viewVerbs, kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' } } }),
  };
}

function hooksOf({ subresources }: Version, cells: KindHooks['cells']): KindHooks<CustomResource> {
  const { status, scale } = subresources ?? {};
  return {
    ...(status && { prepareForCreate: (object) => omit(object, 'status') }),
    // Of status, nothing else is written, metadata least of all.
    prepareForStatusUpdate: (object, old) => ({ ...object, metadata: old.metadata }),
    ...(scale && { rules: scaleRule(scale), statusRules: scaleRule(scale, 'status') }),
    warnings: warnOfFinalizers,
    ...(cells && { cells }),
  };
}

/** Newer versions that are served and not deprecated are named instead; the newest first. */
function deprecationOf({ name }: Version, { group, names, versions }: CustomResourceDefinitionSpec): string {
  const better = listOf(versions)
    .filter((each) => each.served && !each.deprecated && comparePriority(each.name, name) > 0)
    .toSorted((a, b) => comparePriority(b.name, a.name))[0];
  const advice = better ? `; use ${group}/${better.name} ${names.kind}` : '';
  return `${group}/${name} ${names.kind} is deprecated${advice}`;
}

/** Names that are no versions come last, in the order of the alphabet. */
const comparePriority = (a: string, b: string): number => versionPriority(a) - versionPriority(b) || (a < b ? 1 : a > b ? -1 : 0);

function warnOfFinalizers({ metadata }: KubeObject, old?: KubeObject): readonly string[] {
  if (!metadata.finalizers) return noWarnings;
  const added = new Set(listOf(metadata.finalizers)).difference(new Set(listOf(old?.metadata.finalizers)));
  return [...added].toSorted().flatMap((name) => {
    const quoted = `metadata.finalizers: ${JSON.stringify(name)}: `;
    const problems = checkQualifiedName(name).map((message) => quoted + message);
    if (name.includes('/') || standardFinalizers.has(name)) return problems;
    const form = name.includes('.') ? ' including a path (/)' : '';
    return [
      ...problems,
      `${quoted}prefer a domain-qualified finalizer name${form} to avoid accidental conflicts with other finalizer writers`,
    ];
  });
}
