/**
 * A kind: everything the API server has to know to serve it, as data and a few pure hooks. Built-in kinds are consts in
 * ../kinds, made with `defineKind` from the tables in ../data; a CustomResourceDefinition makes one at run time.
 * No request, store or clock in sight.
 */
import type { JSONSchemaProps } from '../generated/apiextensions-v1.ts';
import type { Rule, Walk } from '../schema/rules/walk.ts';
import type { ObjectSchema } from '../schema/types.ts';
import type { KindRef, KubeObject } from './object.ts';
import type { FieldError } from './status-error.ts';
import type { Steps } from './steps.ts';

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  /** 0: always shown; greater: only with -o wide */
  readonly priority: number;
  readonly description?: string;
}

export type Cell = string | number | boolean | null;

/** What the server knows of a subresource. `status` and `scale` are views of the same object. */
export interface Subresource {
  readonly verbs: readonly string[];
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
}

/** Of a custom resource: by which definition it is served, and what that says of one version. */
export interface KindDefinition {
  readonly uid: string;
  /** another one: something else is said */
  readonly generation: number;
  readonly selectableFields: readonly string[];
  schema(): JSONSchemaProps;
}

/** What `scale` shows of an object and changes in it. Throws what keeps it from being shown. */
export interface ScaleView<T extends KubeObject = KubeObject> {
  /** where the object says what is wanted, as its owners name it: `spec`, `replicas` */
  readonly replicasPath: readonly string[];
  /** what is wanted; undefined: nothing is said of it */
  replicas(object: T): number | undefined;
  readyReplicas(object: T): number;
  /** in text; '' where there is none */
  selector(object: T): string;
  withReplicas(object: T, replicas: number): T;
}

/** Of a write, beside the objects: when, and by whom. */
export interface WriteContext {
  readonly nowMs: number;
  readonly user?: {
    readonly name: string;
    readonly uid?: string | undefined;
    readonly groups?: readonly string[] | undefined;
    readonly extra?: Readonly<Record<string, readonly string[]>> | undefined;
  };
}

/** Written as a method, as `FieldGetter`. */
type RuleOf<T> = { rule(...given: Parameters<Rule<T>>): void }['rule'];

/** The hooks, in the order in which they run. An absent hook is no code. All are pure: they return a new object, or the same when nothing changes. */
export interface KindHooks<T extends KubeObject = KubeObject> {
  /** Fills in what the type table's constant defaults can't say. Runs on every write, before admission's validation. */
  default?(object: T): T;
  /** Clears what a client may not set on create (status), and sets what is derived. */
  prepareForCreate?(object: T, by?: WriteContext): T;
  /** The same for an update of the main resource. Status is already kept from `old` where the kind has a status subresource. */
  prepareForUpdate?(object: T, old: T): T;
  /** The same for an update of status: everything but status is already kept from `old`. */
  prepareForStatusUpdate?(object: T, old: T, by?: WriteContext): T;
  /** What its objects have to be, beside what the type table says of them; metadata apart. */
  readonly rules?: RuleOf<T>;
  /** The same where rules can't say it: field errors in upstream's wording; `old` is there for updates. Metadata and the type table have been checked already. */
  validate?(object: T, old?: T): readonly FieldError[] | Steps<readonly FieldError[]>;
  /** of what an update of status leaves */
  readonly statusRules?: RuleOf<T>;
  /** Sent as Warning headers. */
  warnings?(object: T, old?: T): readonly string[];
  /** The same for a delete that says this of the dependents. */
  deletionWarnings?(options: { readonly propagationPolicy?: string; readonly orphanDependents?: boolean }): readonly string[];
  /** The cells of one row of the Table, in the order of `columns`. */
  cells?(object: T, at: { readonly nowMs: number }): readonly Cell[];
  /**
   * Graceful deletion: how long the object stays after a delete, or undefined when it goes at once.
   * `requestedSeconds` is what the client asked for.
   */
  gracePeriodSeconds?(object: T, requestedSeconds: number | undefined): number | undefined;
  /** By the name of a subresource that is a view of the same object, beside `status` and `scale`: ephemeralcontainers, resize, finalize, approval. */
  readonly views?: Readonly<Record<string, ViewHooks<T>>>;
  /** What the first delete leaves in its place, for others to finish: with its finalizers and its time of deletion. */
  markDeleted?(object: T, at: { readonly nowMs: number }): T;
}

/** An update through such a view: in place of `prepareForUpdate` and `validate`. */
export interface ViewHooks<T extends KubeObject = KubeObject> {
  /** Keeps from `old` everything that the view doesn't show. */
  prepareForUpdate(object: T, old: T, by?: WriteContext): T;
  rules(object: T, walk: Walk, old: T): void;
}

/** Reads a selectable field. Written as a method, so that a Kind<Pod> can stand where a Kind is wanted. */
export type FieldGetter<T extends KubeObject> = { get(object: T): string }['get'];

/** Between a version that is served and the one that is stored, where more than the apiVersion differs. Pure. */
export interface VersionConversion<T extends KubeObject = KubeObject> {
  toStorage(object: T): KubeObject;
  fromStorage(stored: KubeObject): T;
}

/** The same where somebody else has to be asked (a webhook): many objects at once, answered in their order. Rejects with what clients are told. */
export type RemoteConversion = (objects: readonly KubeObject[], apiVersion: string) => Promise<readonly KubeObject[]>;

export interface Kind<T extends KubeObject = KubeObject> extends KindRef<T> {
  /** its name in the type table; of a custom resource '' */
  readonly typeName: string;
  /** the fields of its objects: the type table's, or a CustomResourceDefinition's, which is made when it is first asked for */
  readonly schema: ObjectSchema;
  /** The version (and group: events) in which objects are stored; the watch cache holds that one. */
  readonly storageVersion: { readonly group: string; readonly version: string };
  /** The version that upstream stores, of which discovery's hash is made. */
  readonly hashedVersion: string;
  /** Absent where this is the stored version, or only the apiVersion differs; what is stored of a custom resource is read by its schema. */
  readonly convert: VersionConversion<T> | undefined;
  /** in place of `convert` for objects of another version; not of a built-in kind */
  readonly convertRemotely: RemoteConversion | undefined;
  readonly singular: string;
  /** the kind of its lists */
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly Verb[];
  readonly subresources: Readonly<Record<string, Subresource>>;
  /** absent: as a workload has it */
  readonly scale: ScaleView<T> | undefined;
  /** Fields that a write does not own, by its subresource ('': the object itself); absent: as most kinds have it (reset-fields.ts). */
  readonly resetFields?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly columns: readonly Column[];
  /** all that a field selector may name; the object is in this kind's own version */
  readonly selectableFields: ReadonlyMap<string, FieldGetter<T>>;
  /** why a field selector is refused that names another field */
  describeUnknownField(field: string): string;
  readonly hooks: KindHooks<T>;
  /** metadata.generation counts the changes of the spec */
  readonly hasGeneration: boolean;
  /** The checker of metadata.name; returns messages in upstream's wording. `prefix`: it is a generateName. */
  validateName(name: string, prefix: boolean, object: T): readonly string[];
  /** A finished deletion answers with the object as it was, not with a Status. `unpublished`: OpenAPI says otherwise, as upstream's. */
  readonly returnsDeletedObject: boolean | 'unpublished';
  /** dependents are kept when a delete says nothing of them */
  readonly orphansByDefault: boolean;
  /** takes part in garbage collection */
  readonly isCollected: boolean;
  /** its objects are made when they are read, and stored nowhere */
  readonly isComputed: boolean;
  /** an update of what does not exist creates it */
  readonly allowCreateOnUpdate: boolean;
  /** an update may leave resourceVersion out */
  readonly allowUnconditionalUpdate: boolean;
  /** what the store's key says: /registry/<storagePrefix>/[namespace/]name */
  readonly storagePrefix: string;
  /** a selectable field by which watchers are indexed, so that an event costs nothing to those it does not concern */
  readonly indexedField: string | undefined;
  /** fields, wherever they are, that hold much and are seldom looked at */
  readonly bulkyFields: readonly string[];
  /** seconds after which the store deletes an object (events: 3600) */
  readonly ttlSeconds: number | undefined;
  /** absent: built in */
  readonly definition: KindDefinition | undefined;
  /** its definition is being deleted: nothing new is made of it */
  readonly isTerminating: boolean;
  /** said as a warning at every use */
  readonly deprecation: string | undefined;
}

/** Of a custom resource: no table has its type, so it has no form in protobuf, and nothing says how its lists merge. */
export const isCustom = ({ typeName }: Pick<Kind, 'typeName'>): boolean => typeName === '';
