/**
 * One request and its answer, from a client to an endpoint and back, in pieces as they come: nothing is gathered, and who
 * does not take what is for him stops the other side.
 *
 * It is sent to another endpoint where a connection was refused before anything was sent, and once where one broke before
 * the answer of a request that may be repeated and has no body. What fails then is 502, what takes too long 504; once the
 * head of an answer is on its way the client sees it broken off.
 */
import { type Readable, Transform } from 'node:stream';
import type { Clock, Timer } from '../../client/clock.ts';
import type { Backend, Chosen } from './backends.ts';
import type { ClientAnswer } from './client-answer.ts';
import { answerHeaders, answerTrailers, type RequestHead } from './request-head.ts';
import type { RoutePolicy } from './route-policy.ts';
import { UnsayableRequest, type UpstreamCall, UpstreamTimeout } from './upstream.ts';

/** Endpoints that are asked in turn. */
export const triesMax = 3;
const repeatable: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

export interface ExchangeOptions {
  readonly head: RequestHead;
  /** with its query, as it is sent on */
  readonly target: string;
  /** absent: there is no body */
  readonly body: (Readable & { setTimeout(ms: number, late?: () => void): unknown }) | undefined;
  readonly answer: ClientAnswer;
  readonly policy: RoutePolicy;
  readonly backend: Backend;
  /** which endpoint the client had */
  readonly affinity: string | undefined;
  /** what is added to an answer's head */
  readonly moreHeaders: readonly string[];
  readonly clock: Clock;
  readonly over: (outcome: Outcome) => void;
}

export interface Outcome {
  /** 499: the client went away */
  readonly status: number;
  readonly endpoint: string | undefined;
  readonly tries: number;
  readonly error?: Error | undefined;
}

const clientGone = 499;
/** HTTP/2 knows no higher one, HTTP/1.1 no meaning of it. */
export const statusMax = 599;

export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #tried = new Set<Chosen>();
  readonly #body: LimitedBody | undefined;
  #now: Chosen | undefined;
  #call: UpstreamCall | undefined;
  #slow: Timer | undefined;
  #status = 0;
  #isOver = false;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const { body, answer, policy } = options;
    answer.onClose(() => this.#closed());
    if (body) this.#body = this.#readBody(body, policy);
    this.#ask();
  }

  #readBody(body: NonNullable<ExchangeOptions['body']>, { bodyBytesMax, sendMs }: RoutePolicy): LimitedBody {
    const limited = new LimitedBody(bodyBytesMax, () => this.#refuse(413, 'the body is too large'));
    body.setTimeout(sendMs, () => (this.#isOver ? body.destroy() : this.#refuse(408, `nothing of the body came for ${sendMs / 1000} s`)));
    body.once('end', () => body.setTimeout(0));
    body.on('error', () => this.#closed());
    limited.on('error', () => undefined); // whoever sent it on is told otherwise
    body.pipe(limited);
    limited.once('close', () => {
      body.unpipe(limited);
      body.resume(); // whoever sends on gets rid of it
    });
    return limited;
  }

  #ask() {
    const { head, target, backend, affinity, policy } = this.#options;
    const chosen = backend.choose(this.#tried, this.#tried.size === 0 ? affinity : undefined);
    if (!chosen) return this.#refuse(this.#tried.size === 0 ? 503 : 502, backend.problem ?? 'no endpoint answers');
    this.#tried.add(chosen);
    this.#now = chosen;
    let isSent = false;
    let isStarted = false;
    /** What throws ends this exchange, and nothing else. */
    const guarded =
      <A extends readonly unknown[]>(act: (...given: A) => void) =>
      (...given: A): void => {
        if (this.#isOver || this.#now !== chosen) return;
        try {
          act(...given);
        } catch (error) {
          this.#refuse(502, 'the backend’s answer can’t be passed on', error as Error);
        }
      };
    try {
      this.#call = chosen.upstream.send(
        { method: head.method, path: target, host: head.host, headers: head.headers, body: this.#body, readMs: policy.readMs },
        {
          sent: () => {
            isSent = true;
          },
          head: guarded((status, headers, isWhole) => {
            isStarted = true;
            this.#head(chosen, { status, headers, isWhole });
          }),
          data: guarded((chunk) => this.#data(chunk)),
          end: guarded((trailers) => this.#end(trailers)),
          failed: guarded((error) => this.#failed(chosen, error, { isSent, isStarted })),
        },
      );
    } catch (error) {
      this.#failed(chosen, error as Error, { isSent: false, isStarted: false });
    }
  }

  #head(chosen: Chosen, { status, headers, isWhole }: { status: number; headers: readonly string[]; isWhole: boolean }) {
    const { answer, policy, affinity, moreHeaders } = this.#options;
    if (answer.isGone) return this.#closed();
    if (status > statusMax) return this.#refuse(502, `the backend’s status ${status} is none`);
    this.#status = status;
    const cookie =
      policy.affinity && affinity !== chosen.id ? ['set-cookie', `${policy.affinity.name}=${chosen.id}${policy.affinity.attributes}`] : [];
    answer.head(status, answerHeaders(headers, [...moreHeaders, ...cookie]), isWhole);
    if (isWhole) this.#finish({ status });
  }

  #data(chunk: Buffer) {
    const { answer, clock, policy } = this.#options;
    if (answer.isGone) return this.#closed();
    if (answer.write(chunk) || this.#slow) return;
    this.#call?.pause();
    this.#slow = clock.setTimeout(() => this.#broken(new Error(`the client took nothing for ${policy.sendMs} ms`)), policy.sendMs);
    answer.onDrain(() => {
      this.#slow?.cancel();
      this.#slow = undefined;
      this.#call?.resume();
    });
  }

  #end(trailers: readonly string[]): void {
    this.#options.answer.end(answerTrailers(trailers));
    this.#finish({ status: this.#status });
  }

  #failed(chosen: Chosen, error: Error, { isSent, isStarted }: { readonly isSent: boolean; readonly isStarted: boolean }) {
    const { head, backend, answer } = this.#options;
    if (isStarted) return this.#broken(error);
    if (error instanceof UnsayableRequest) return this.#refuse(400, 'the request can’t be passed on', error);
    if (!isSent) backend.refused(chosen);
    const isLate = error instanceof UpstreamTimeout;
    const isAsBefore = !isSent || (!this.#body && repeatable.has(head.method) && !isLate);
    if (isAsBefore && this.#tried.size < triesMax && !answer.isGone) {
      this.#leave();
      return this.#ask();
    }
    this.#refuse(isLate ? 504 : 502, isLate ? 'the backend does not answer in time' : 'the backend does not answer', error);
  }

  /** An answer of this proxy's own. */
  #refuse(status: number, text: string, error?: Error) {
    if (this.#isOver) return;
    const { answer } = this.#options;
    if (answer.isStarted) return this.#broken(error ?? new Error(text));
    const call = this.#call;
    this.#finish({ status, error });
    call?.abort();
    if (answer.isGone) return;
    try {
      answer.say(status, `${status}: ${text}\n`, this.#options.moreHeaders);
    } catch {
      answer.abort();
    }
  }

  /** In the middle of an answer. */
  #broken(error: Error): void {
    if (this.#isOver) return;
    const call = this.#call;
    this.#finish({ status: this.#status, error });
    call?.abort();
    this.#options.answer.abort();
  }

  #closed(): void {
    if (this.#isOver) return;
    const call = this.#call;
    this.#finish({ status: clientGone });
    call?.abort();
  }

  #finish({ status, error }: { readonly status: number; readonly error?: Error | undefined }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#slow?.cancel();
    const now = this.#now;
    this.#leave();
    this.#body?.destroy();
    const endpoint = now && `${now.address} ${now.port}`;
    this.#options.over({ status, endpoint, tries: this.#tried.size, error });
  }

  #leave(): void {
    if (this.#now) this.#options.backend.done(this.#now);
    this.#now = undefined;
  }
}

/** What comes of a request's body, up to a limit. */
class LimitedBody extends Transform {
  readonly #bytesMax: number;
  readonly #tooLarge: () => void;
  #bytes = 0;

  constructor(bytesMax = Number.POSITIVE_INFINITY, tooLarge: () => void) {
    super();
    this.#bytesMax = bytesMax;
    this.#tooLarge = tooLarge;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null, data?: Buffer) => void): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#bytesMax) done(null, chunk);
    else this.#tooLarge();
  }
}
