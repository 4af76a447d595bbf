/** Who asks for what: users, verbs, and the questions that are put to authorization and admission. */
import type { DeleteOptions } from '../../../api/generated/meta-v1.ts';
import type { Kind } from '../../../api/meta/kind.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import type { ManagedPart } from '../../store/managed-part.ts';
import type { Reinvocation } from './reinvocation.ts';

export interface UserInfo {
  readonly name: string;
  readonly uid?: string | undefined;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** The verb of authorization and audit, not of HTTP. */
export type RequestVerb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection' | 'connect';

/** What authorization and admission look at: who wants to do what to which resource or path. */
export interface RequestAttributes {
  readonly user: UserInfo;
  /** for connect subresources: `create` or `get`, as authorization has it; for paths: the lower-case HTTP method */
  readonly verb: string;
  /** absent for non-resource paths */
  readonly resource?:
    | {
        readonly group: string;
        readonly version: string;
        readonly resource: string;
        readonly subresource?: string | undefined;
        readonly namespace?: string | undefined;
        /** from the path; for list, watch and deletecollection also what a field selector `metadata.name=x` says */
        readonly name?: string | undefined;
        /** as the client sent it; list, watch and deletecollection only */
        readonly fieldSelector?: string | undefined;
      }
    | undefined;
  /** empty for resources */
  readonly path: string;
}

/** The query of a request, whatever the verb. Strings are as the client sent them; what they say is checked by the verbs. */
export interface RequestOptions {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: string | undefined;
  readonly allowWatchBookmarks?: boolean | undefined;
  readonly sendInitialEvents?: boolean | undefined;
  readonly timeoutSeconds?: number | undefined;
  readonly dryRun?: readonly string[] | undefined;
  readonly fieldManager?: string | undefined;
  readonly fieldValidation?: string | undefined;
  readonly force?: boolean | undefined;
  /** of the query; the body's are joined with these */
  readonly deletion?: DeleteOptions | undefined;
}

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface AdmissionRequest {
  readonly operation: AdmissionOperation;
  readonly kind: Kind;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly user: UserInfo;
  /** the new object; for DELETE absent. Mutating plugins return another one. */
  readonly object?: KubeObject | undefined;
  readonly oldObject?: KubeObject | undefined;
  /** the JSON of both objects' managedFields, which are no part of them; one that admission has changed has them itself */
  readonly managed?: { readonly object?: ManagedPart | undefined; readonly old?: ManagedPart | undefined } | undefined;
  /** the body of the request where it is not the object: DeleteOptions, PodExecOptions */
  readonly options?: unknown;
  readonly dryRun: boolean;
  /** one of many that are deleted at once: those who are asked about it are told no name beside the object */
  readonly isOfCollection?: boolean | undefined;
  /** others have their turn between the plugins */
  readonly isLarge?: boolean;
  /** the query of a write; what is asked of webhooks has it */
  readonly query?: RequestOptions | undefined;
  /** Aborts when the client is gone. */
  readonly signal?: AbortSignal | undefined;
  /** of mutating admission, whose plugins may see the object twice */
  readonly reinvocation?: Reinvocation | undefined;
  /** Adds a Warning header to the answer. */
  warn(message: string): void;
  /** Adds to what an audit log keeps of the request. */
  annotate(key: string, value: string): void;
  /** Adds to what is kept where the log has what requests say, too. */
  annotateDetail(key: string, value: () => string): void;
}
