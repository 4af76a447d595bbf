/**
 * What happens in a cluster, told act by act: who changed what, or was refused, and why. The API server tells it, since
 * every component works through it; what a component says of its own doings it says as an Event.
 *
 * Guarantees: acts are told in the order in which they took effect; a reader that is too slow loses acts and is told how
 * many. Values of Secrets are not in them. A reader sees what happens while it reads; one that had
 * begun before the server was started again sees what happened since, if it comes in time.
 */

/** How an object of the API is called: `pod/front-1`. */
export interface ActObject {
  /** singular and lower case, as kubectl writes it: `pod` */
  readonly kind: string;
  readonly group: string;
  readonly namespace?: string;
  /** empty for what has no name yet */
  readonly name: string;
  /** `status`, `binding`, … */
  readonly subresource?: string;
}

/** One difference; an absent side was or is not there, and of a Secret both are. */
export interface ActChange {
  /** `spec.replicas`, `status.conditions.Ready` */
  readonly path: string;
  readonly from?: string;
  readonly to?: string;
}

export interface Act {
  /** RFC 3339, with milliseconds, by the cluster's clock */
  readonly time: string;
  /** `deployment`, `scheduler`, `kubelet`; absent: a user who is no component */
  readonly component?: string | undefined;
  /** where the component runs, if it runs on a node */
  readonly node?: string | undefined;
  readonly user: string;
  readonly userAgent?: string | undefined;
  /**
   * `marked`: it is asked to go, and stays until whoever holds it lets go. `told`: an Event. `refused`: nothing changed.
   */
  readonly did: 'created' | 'changed' | 'marked' | 'deleted' | 'told' | 'refused';
  /** of the request: `create`, `patch` */
  readonly verb: string;
  readonly object: ActObject;
  /** what the object belongs to, its owner first: `replicaset/front-5fc5b7765c`, `deployment/front` */
  readonly owners?: readonly string[] | undefined;
  /** the object in a few words: `3 replicas` */
  readonly summary?: string | undefined;
  /** the most telling first */
  readonly changes?: readonly ActChange[] | undefined;
  /** in the words of who did it */
  readonly why?: string | undefined;
  readonly event?: ActEvent | undefined;
  readonly refusal?: ActRefusal | undefined;
  /** what goes on all the time, and what repeats another act: heartbeats, statuses that say nothing new */
  readonly isRoutine?: true | undefined;
}

export interface ActEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  /** how often by now */
  readonly count: number;
  readonly container?: string;
}

export interface ActRefusal {
  /** as HTTP has it */
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  /** what was asked for: `pods` */
  readonly resource: string;
  /** who refused: `authorization`, `validation`, an admission plugin */
  readonly by?: string | undefined;
}

/** Acts that a slow reader has lost at this place. */
export interface LostActs {
  readonly lost: number;
}

/** The first thing told to a reader that names a start of the server, or none with an empty name. */
export interface ActStart {
  /** of this server */
  readonly start: string;
  /** it is another than the one that was named, and all that happened since it began is told */
  readonly isWhole: boolean;
}

export interface ActFilter {
  readonly namespace?: string | undefined;
  /** any of these, and what they own: `deployment/front`, `po/x` */
  readonly objects?: readonly string[] | undefined;
  /** any of these, or of the users: `scheduler`, `kubelet` */
  readonly components?: readonly string[] | undefined;
  /** by name, of those who are no component */
  readonly users?: readonly string[] | undefined;
  /** what is routine too */
  readonly all?: boolean | undefined;
}

/** Below the API server; lines of JSON. */
export const actsPath = '/timonier.dev/v1/acts';
/** In which a client says why it writes: printable ASCII. */
export const whyHeader = 'timonier-why';

export const idOf = ({ kind, name }: Pick<ActObject, 'kind' | 'name'>): string => `${kind}/${name}`;

/** The filter as the query of `actsPath`. */
export function queryOfFilter({ namespace, objects = [], components = [], users = [], all }: ActFilter): URLSearchParams {
  return new URLSearchParams([
    ...(namespace ? [['namespace', namespace]] : []),
    ...objects.map((object) => ['object', object]),
    ...components.map((component) => ['component', component]),
    ...users.map((user) => ['user', user]),
    ...(all ? [['all', 'true']] : []),
  ]);
}

export function filterOfQuery(query: URLSearchParams): ActFilter {
  return {
    namespace: query.get('namespace') || undefined,
    objects: query.getAll('object'),
    components: query.getAll('component'),
    users: query.getAll('user'),
    all: query.get('all') === 'true',
  };
}
