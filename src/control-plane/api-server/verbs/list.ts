/**
 * List: from the cache, or as it was at a revision, in pages when asked. Without a resourceVersion it shows all that
 * was acknowledged, by whichever server. Pages after the first show the revision of the first: from the cache while the
 * resource has not changed since, else from the store's history.
 * Upstream: apiserver/pkg/storage/etcd3/store.go (GetList), storage/cacher.
 */
import { errors, StatusError } from '../../../api/meta/status-error.ts';
import { CompactedError, FutureRevisionError, type Revision } from '../../store/storage.ts';
import { parseRevision, tooLargeResourceVersion } from '../cache/resource-version.ts';
import type { ServedKind } from '../cache/served-kinds.ts';
import { StoredObject } from '../cache/stored-object.ts';
import type { ResourceAnswer } from '../request/answer.ts';
import type { ResourceRequest } from '../request/api-request.ts';
import { isLarge, yieldTurn } from '../request/yield-turn.ts';
import type { VerbContext } from '../write/verb-context.ts';
import { type ContinueToken, continueMsMax, decodeContinue, encodeContinue } from './continue-token.ts';
import { checkListOptions } from './list-options.ts';
import { parseSelection, type Selection } from './selection.ts';

/** Objects read from the store at once when history is asked for. */
const storePageMax = 500;

interface Query {
  readonly served: ServedKind;
  readonly selection: Selection;
  /** 0: no limit */
  readonly limit: number;
  /** the part of the last key seen after the resource's prefix */
  readonly after?: string | undefined;
}

interface Page {
  readonly items: readonly StoredObject[];
  readonly revision: Revision;
  readonly more: boolean;
  /** matching objects that follow, where the count is known */
  readonly remaining?: number | undefined;
}

export async function list(server: VerbContext, request: ResourceRequest): Promise<ResourceAnswer> {
  const { options } = request;
  checkListOptions(options);
  const served = server.kinds.of(request.target.kind);
  const large = isLarge(request);
  if (large) await yieldTurn();
  const selection = parseSelection(request);
  if (large) await yieldTurn();
  const token = options.continue ? decodeContinue(options.continue) : undefined;
  if (token && options.resourceVersion && options.resourceVersion !== '0')
    throw errors.badRequest('specifying resource version is not allowed when using continue');
  if (token && isTooOld(token, server)) throw expiredContinue(token.after);
  const asked = parseRevision(options.resourceVersion);
  const limit = options.resourceVersion === '0' ? 0 : Math.max(0, options.limit ?? 0);
  const query: Query = { served, selection, limit, after: token?.after };
  const exact = token ? (token.revision > 0 ? token.revision : undefined) : exactRevision(options.resourceVersionMatch, asked, limit);
  const behind = token && exact !== undefined ? undefined : server.cache.behind(asked, request.signal);
  if (behind) await behind;
  const page = await readPage(server, query, exact, request);
  const next = continueAfter(page, query, token?.sinceMs ?? server.clock.now());
  return {
    type: 'list',
    code: 200,
    items: page.items.map((stored) => served.asServed(stored)),
    revision: page.revision,
    continue: next,
    remainingItemCount: page.more ? page.remaining : undefined,
  };
}

const isTooOld = ({ revision, sinceMs = Number.POSITIVE_INFINITY }: ContinueToken, { clock }: VerbContext): boolean =>
  revision > 0 && clock.now() - sinceMs > continueMsMax;

function continueAfter({ items, more, revision }: Page, { served }: Query, sinceMs: number): string | undefined {
  const last = items.at(-1);
  return more && last ? encodeContinue({ revision, after: last.key.slice(served.cache.prefix.length), sinceMs }) : undefined;
}

/** The revision that the answer has to show; undefined for now. */
function exactRevision(match: string | undefined, asked: Revision | undefined, limit: number): Revision | undefined {
  if (!asked) return undefined;
  return match === 'Exact' || (!match && limit > 0) ? asked : undefined;
}

async function readPage(server: VerbContext, query: Query, exact: Revision | undefined, request: ResourceRequest): Promise<Page> {
  const { served } = query;
  if (exact === undefined) return fromCache(query, server.cache.revision);
  if (exact >= served.cache.lastChange && exact <= server.cache.revision) return fromCache(query, exact);
  try {
    return await fromStore(server, query, exact, request.signal);
  } catch (error) {
    if (error instanceof FutureRevisionError) throw tooLargeResourceVersion(exact, server.cache.revision);
    if (!(error instanceof CompactedError)) throw error;
    throw query.after === undefined
      ? errors.expired('The resourceVersion for the provided list is too old.')
      : expiredContinue(query.after);
  }
}

function expiredContinue(after: string): StatusError {
  return new StatusError({
    code: 410,
    reason: 'Expired',
    message:
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    metadata: { continue: encodeContinue({ revision: -1, after }) },
  });
}

function fromCache(query: Query, revision: Revision): Page | Promise<Page> {
  const { served, selection, after } = query;
  const { cache, kind } = served;
  if (kind.convertRemotely) return fromCacheConverted(query, revision);
  const countAll = (): number => (after === undefined ? cache.count(selection.namespace) : cache.countAfter(selection.namespace, after));
  return pickPage(query, { candidates: candidatesOf(query), countAll, revision });
}

/** What the cache shows now, whatever happens to it while that is converted. Without selectors, what follows the page is not. */
async function fromCacheConverted(query: Query, revision: Revision): Promise<Page> {
  const { served, selection, limit } = query;
  const candidates = [...candidatesOf(query)];
  await served.converted(limit === 0 || selection.isFiltered ? candidates : candidates.slice(0, limit));
  return pickPage(query, { candidates, countAll: () => candidates.length, revision });
}

/** Those that the cache can look up for a selection, in order. */
function candidatesOf({ served, selection, after }: Query): Iterable<StoredObject> {
  const { cache, kind } = served;
  const { namespace, name } = selection;
  if (name === undefined || (namespace === undefined && kind.namespaced)) return cache.sorted(namespace, after);
  const stored = served.find(namespace, name);
  return stored && (after === undefined || stored.key.slice(cache.prefix.length) > after) ? [stored] : [];
}

function pickPage(
  { served, selection, limit }: Query,
  { candidates, countAll, revision }: { candidates: Iterable<StoredObject>; countAll: () => number; revision: Revision },
): Page {
  const { matches } = selection;
  const items: StoredObject[] = [];
  let seen = 0;
  for (const stored of candidates) {
    if (limit > 0 && items.length === limit)
      return { items, revision, more: true, remaining: selection.isFiltered ? undefined : countAll() - seen };
    seen++;
    if (!matches || matches(served.asServed(stored).object)) items.push(stored);
  }
  return { items, revision, more: false };
}

/** The state as it was, read from the store; objects that have not changed since are the cache's own. */
async function fromStore(server: VerbContext, query: Query, atRevision: Revision, signal: AbortSignal): Promise<Page> {
  const { served, selection, limit } = query;
  const { matches } = selection;
  const prefix =
    served.kind.namespaced && selection.namespace !== undefined ? `${served.cache.prefix}${selection.namespace}/` : served.cache.prefix;
  const items: StoredObject[] = [];
  let startAfter = query.after === undefined ? undefined : served.cache.prefix + query.after;
  for (;;) {
    signal.throwIfAborted();
    const page = await server.storage.range({
      prefix,
      atRevision,
      limit: limit > 0 && !matches ? limit : storePageMax,
      startAfter,
    });
    const found = page.items.map((kv) => {
      const cached = served.cache.byKey(kv.key);
      return cached?.revision === kv.revision ? cached : StoredObject.from(kv);
    });
    const converting = served.converted(found);
    if (converting) await converting;
    for (const [i, stored] of found.entries()) {
      if (matches && !matches(served.asServed(stored).object)) continue;
      items.push(stored);
      if (items.length !== limit) continue;
      const left = page.items.length - i - 1;
      const more = left > 0 || page.more;
      return { items, revision: atRevision, more, remaining: selection.isFiltered ? undefined : page.count - i - 1 };
    }
    startAfter = page.items.at(-1)?.key;
    if (!page.more) return { items, revision: atRevision, more: false };
  }
}
