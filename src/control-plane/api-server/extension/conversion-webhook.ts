/**
 * Asks the conversion webhook of a CustomResourceDefinition: a batch of objects of other versions goes there as one
 * ConversionReview, and comes back in the version that is wanted.
 *
 * Guarantees: what comes back is as many objects of the same kind, name, namespace and uid; of their metadata a webhook
 * changes labels and annotations alone; whatever else it answers fails the request in upstream's words.
 * Upstream: apiextensions-apiserver/pkg/apiserver/conversion/webhook_converter.go.
 */
import type { CustomResourceDefinition } from '../../../api/generated/kinds.ts';
import type { ObjectMeta } from '../../../api/generated/meta-v1.ts';
import type { Converter } from '../../../api/kinds/apiextensions/custom-kind.ts';
import { listOf } from '../../../api/kinds/lists.ts';
import { type KubeObject, versionOf } from '../../../api/meta/object.ts';
import { validateLabels } from '../../../api/meta/selectors.ts';
import { describeFieldError, type FieldError, isStatusError, messageOf, StatusError } from '../../../api/meta/status-error.ts';
import { own, put } from '../../../api/meta/words.ts';
import { validateAnnotations } from '../../../api/schema/metadata.ts';
import { type Random, realClock } from '../../../client/clock.ts';
import type { WebhookAddress, WebhookClient } from '../streaming/webhook-client.ts';
import type { ConversionFailure, ConversionMetrics } from './conversion-metrics.ts';

type Definition = CustomResourceDefinition;
type Json = Readonly<Record<string, unknown>>;

const group = 'apiextensions.k8s.io';
const timeoutMs = 30_000;
/** as large as one request may be that asks for them all */
const answerBytesMax = 64 * 1024 * 1024;

export interface Converting {
  /** undefined: webhooks can't be called */
  readonly client: () => Pick<WebhookClient, 'post'> | undefined;
  readonly metrics: () => ConversionMetrics | undefined;
  readonly random: Random;
}

export const webhookConverter =
  (converting: Converting): Converter =>
  (definition) =>
  async (objects, apiVersion) => {
    const [first] = objects;
    if (!first) return [];
    const name = `conversion webhook for ${gvkOf(first)}`;
    const review = makeReview(definition, objects, { apiVersion, uid: converting.random.uuid() });
    const startMs = realClock.monotonic();
    // how it fails, where it does
    let stage: ConversionFailure | undefined = 'conversion_webhook_call_failure';
    try {
      const answer = await ask(converting, definition, review).catch((error: unknown) => fail(`${name} failed: ${messageOf(error)}`));
      stage = 'conversion_webhook_malformed_response_failure';
      const converted = within(name, ' failed: ', () => objectsIn(review, answer));
      stage = 'conversion_webhook_partial_response_failure';
      if (converted.length !== objects.length) return fail(`${name} returned ${converted.length} objects, expected ${objects.length}`);
      stage = 'conversion_webhook_invalid_converted_object_failure';
      const made = objects.map((object, i) =>
        checked(name, object, { converted: converted[i], apiVersion, index: objects.length > 1 ? i : undefined }),
      );
      stage = undefined;
      return made;
    } finally {
      const told = { crd: definition.metadata.name, from: versionOf(first.apiVersion), to: versionOf(apiVersion), failure: stage };
      converting.metrics()?.converted(told, (realClock.monotonic() - startMs) / msPerSecond);
    }
  };

const msPerSecond = 1000;

/** What clients are told when a store can't read what it holds. */
function fail(message: string): never {
  throw new StatusError({ code: 500, reason: '', message });
}

function within<T>(name: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isStatusError(error)) throw error;
    return fail(`${name}${what}${messageOf(error)}`);
  }
}

const gvkOf = ({ apiVersion, kind }: KubeObject): string => `${apiVersion}, Kind=${kind}`;

interface Review {
  readonly kind: 'ConversionReview';
  readonly apiVersion: string;
  readonly request: { readonly uid: string; readonly desiredAPIVersion: string; readonly objects: readonly KubeObject[] };
  readonly response: object;
}

/** In the first of its versions that is known here. */
function makeReview(
  { spec }: Definition,
  objects: readonly KubeObject[],
  { apiVersion, uid }: { readonly apiVersion: string; readonly uid: string },
): Review {
  const version = listOf(spec.conversion?.webhook?.conversionReviewVersions).find((each) => each === 'v1' || each === 'v1beta1');
  if (!version) return fail('no supported conversion review versions');
  return {
    kind: 'ConversionReview',
    apiVersion: `${group}/${version}`,
    request: { uid, desiredAPIVersion: apiVersion, objects },
    response: { uid: '', convertedObjects: null, result: { metadata: {} } },
  };
}

async function ask({ client }: Converting, { spec }: Definition, review: Review): Promise<unknown> {
  const posting = client();
  if (!posting) throw new Error('webhooks are not called by this server');
  return await posting.post(addressOf(spec), review, { timeoutMs, answerBytesMax });
}

/** Blanks are no bundle. */
function addressOf({ conversion }: Definition['spec']): WebhookAddress {
  const { url, service, caBundle } = conversion?.webhook?.clientConfig ?? {};
  const bundle = caBundle && Buffer.from(caBundle, 'base64').toString().trim() !== '' ? caBundle : undefined;
  return { url, service, caBundle: bundle };
}

/** The objects of the answer. Throws what makes it none. */
function objectsIn(review: Review, answer: unknown): readonly unknown[] {
  const { kind, apiVersion, response } = (answer ?? {}) as { kind?: unknown; apiVersion?: unknown; response?: Json | null };
  const isV1 = review.apiVersion === `${group}/v1`;
  if (isV1 && (kind !== review.kind || apiVersion !== review.apiVersion)) {
    throw new Error(
      `expected webhook response of ${group}/v1, Kind=ConversionReview, got ${String(apiVersion ?? '')}, Kind=${String(kind ?? '')}`,
    );
  }
  if (!response) throw new Error('no response provided');
  if (isV1 && response['uid'] !== review.request.uid) {
    throw new Error(`expected response.uid=${JSON.stringify(review.request.uid)}, got ${JSON.stringify(String(response['uid'] ?? ''))}`);
  }
  const { status = '', message } = (response['result'] ?? {}) as { status?: string; message?: string };
  if (status !== 'Success') throw new Error(message || `response.result.status was '${status}', not 'Success'`);
  const { convertedObjects } = response;
  return Array.isArray(convertedObjects) ? convertedObjects : [];
}

interface Returned {
  readonly converted: unknown;
  readonly apiVersion: string;
  /** of several */
  readonly index: number | undefined;
}

function checked(name: string, object: KubeObject, { converted, apiVersion, index }: Returned): KubeObject {
  const what = index === undefined ? 'object' : `converted object at index ${index}`;
  const told = ` returned invalid ${what}: `;
  const returned = within(name, told, () => readObject(converted));
  if (returned.apiVersion !== apiVersion) {
    const why = `invalid groupVersion (expected ${apiVersion}, received ${returned.apiVersion})`;
    return fail(`${name} returned invalid ${index === undefined ? 'object at index 0' : what}: ${why}`);
  }
  if (returned.kind !== object.kind) {
    const why = `invalid kind (expected ${object.kind}, received ${returned.kind})`;
    return fail(`${name} returned invalid ${index === undefined ? 'object at index 0' : what}: ${why}`);
  }
  within(name, told, () => checkSame(object.metadata, isMap(returned.metadata) ? returned.metadata : {}));
  const ofMetadata = index === undefined ? ' returned invalid metadata: ' : ` returned invalid metadata in object at index ${index}: `;
  return within(name, ofMetadata, () => ({ ...returned, metadata: withMarks(object.metadata, returned.metadata) }));
}

const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

function readObject(value: unknown): KubeObject {
  if (!isMap(value)) throw new Error(`cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into an object`);
  const { kind } = value;
  if (typeof kind !== 'string' || kind === '') throw new Error(`Object 'Kind' is missing in '${JSON.stringify(value).slice(0, shownMax)}'`);
  return { ...value, kind, apiVersion: String(value['apiVersion'] ?? '') } as unknown as KubeObject;
}
const shownMax = 1024;

function checkSame(before: ObjectMeta, after: ObjectMeta): void {
  for (const [field, words] of [
    ['name', 'name'],
    ['namespace', 'namespace'],
    ['uid', 'UID'],
  ] as const) {
    const [expected = '', actual = ''] = [before[field], after[field]];
    if (expected !== actual) throw new Error(`must have the same ${words}: ${expected} != ${actual}`);
  }
}

/** The metadata as they were, with the labels and annotations that the webhook gave. */
function withMarks(before: ObjectMeta, after: unknown): ObjectMeta {
  if (after === undefined) throw new Error('missing metadata in converted object');
  if (!isMap(after)) throw new Error('invalid metadata in converted object');
  const { labels: _labels, annotations: _annotations, ...metadata } = before;
  const marked: Record<string, unknown> = { ...metadata };
  for (const field of ['labels', 'annotations'] as const) {
    const given = own(after, field);
    if (given === undefined || given === null) continue;
    if (!isMap(given)) throw new Error(`invalid metadata.${field} in converted object`);
    for (const [key, value] of Object.entries(given)) {
      if (typeof value !== 'string')
        throw new Error(`metadata.${field}[${key}] must be a string, but is ${typeof value} in converted object`);
    }
    const texts = given as Readonly<Record<string, string>>;
    const found = field === 'labels' ? validateLabels(texts, 'metadata.labels') : validateAnnotations(texts, 'metadata.annotation');
    if (found.length > 0) throw new Error(joined(found));
    put(marked, field, texts);
  }
  return marked as ObjectMeta;
}

function joined(found: readonly FieldError[]): string {
  const texts = found.map(describeFieldError);
  return texts.length > 1 ? `[${texts.join(', ')}]` : texts.join();
}
