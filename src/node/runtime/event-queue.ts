/**
 * Hands runtime events to whoever iterates. An event that is already waiting is not queued again, so the queue is
 * bounded by the number of containers, however slow the reader.
 */
import type { RuntimeEvent } from './container-runtime.ts';

export class EventQueue {
  readonly #waiting = new Map<string, RuntimeEvent>();
  #wake: (() => void) | undefined;

  push(event: RuntimeEvent): void {
    this.#waiting.set(`${event.type} ${event.containerId}`, event);
    this.#wake?.();
  }

  /** Ends normally when the signal is aborted. */
  async *read(signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
    const onAbort = (): void => this.#wake?.();
    signal.addEventListener('abort', onAbort);
    try {
      while (!signal.aborted) {
        for (const [key, event] of this.#waiting) {
          this.#waiting.delete(key);
          yield event;
          if (signal.aborted) return;
        }
        if (this.#waiting.size === 0 && !signal.aborted)
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
