/**
 * Why a container could not be started: the reason and message of its waiting state, and when to look again.
 * Upstream: pkg/kubelet/container/sync_result.go, images/types.go.
 */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly reason: string;
  readonly retryAtMs: number | undefined;

  constructor(reason: string, message: string, retryAtMs?: number) {
    super(message);
    this.reason = reason;
    this.retryAtMs = retryAtMs;
  }
}
