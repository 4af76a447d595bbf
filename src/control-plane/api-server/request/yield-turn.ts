/**
 * Where others have their turn, as with a cooperative scheduler. What a request makes of a large body, of a long selector, or of a large object that is
 * stored, costs tens of milliseconds in each of its steps (read, patch, decode, default, admit, validate, compare, encode). Before each of them
 * it yields its turn: the event loop goes round, and in one round one step is taken, however many such requests there are.
 * Small ones, which are nearly all, go through in one.
 *
 * What it keeps is the process's, as the event loop is whose turns it hands out.
 */
import { longWork, type Steps } from '../../../api/meta/steps.ts';
import type { StoredObject } from '../cache/stored-object.ts';
import type { ResourceRequest } from './api-request.ts';

/** What is smaller costs less than a few milliseconds, however it is filled. */
export const largeBytes = 16 * 1024;

type Sized = Pick<ResourceRequest, 'body' | 'options'>;

/** Whether a request's work is to yield its turn; `stored` is the object that it changes. */
export function isLarge({ body, options }: Sized, stored?: Pick<StoredObject, 'size'>): boolean {
  const { labelSelector = '', fieldSelector = '' } = options;
  return (body?.size ?? 0) > largeBytes || (stored?.size ?? 0) > largeBytes || labelSelector.length + fieldSelector.length > largeBytes;
}

const waiting: (() => void)[] = [];
let isComing = false;

/** Until it is this request's turn, in the order in which they asked. */
export function yieldTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    awaitTurn();
  });
}

function awaitTurn(): void {
  if (isComing || waiting.length === 0) return;
  isComing = true;
  setImmediate(() => {
    isComing = false;
    waiting.shift()?.();
    awaitTurn();
  });
}

/** Takes the steps in one go, until one says that the work is long; or yields between them and after the last. */
export function takeInTurns<T>(steps: Steps<T>, large: boolean): T | Promise<T> {
  if (large) return takeYielding(steps);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (step.value === longWork) return yieldTurn().then(() => takeYielding(steps));
  }
}

async function takeYielding<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    const step = steps.next();
    await yieldTurn();
    if (step.done) return step.value;
  }
}
