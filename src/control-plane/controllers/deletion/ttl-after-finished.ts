/** Deletes Jobs, with their pods, a while after they have finished, if they say so. Upstream: pkg/controller/ttlafterfinished. */
import { Job } from '../../../api/generated/kinds.ts';
import { parseKey } from '../../../api/meta/object.ts';
import { isNotFound } from '../../../api/meta/status-error.ts';
import { parseTime } from '../../../api/meta/time.ts';
import { defineController, watched } from '../../../client/controllers/controller.ts';

export const ttlAfterFinishedController = defineController({
  name: 'ttl-after-finished-controller',
  watches: [watched(Job)],
  concurrency: 5,
  async reconcile(key, { client, clock }) {
    const cached = client.informer(Job).get(key);
    if (!cached || expiryMs(cached) === undefined) return;
    const leftMs = (expiryMs(cached) ?? 0) - clock.now();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    try {
      // The time may have been prolonged meanwhile.
      const job = await client.get(Job, parseKey(key));
      const dueMs = expiryMs(job);
      if (dueMs === undefined || dueMs > clock.now()) return;
      const { uid, resourceVersion } = job.metadata;
      const why = (): string => `finished ${job.spec.ttlSecondsAfterFinished} s ago`;
      await client.delete(Job, parseKey(key), { preconditions: { uid, resourceVersion }, propagationPolicy: 'Foreground', why });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  },
});

/** undefined: it has no time to live, has not finished, or is on its way out */
function expiryMs({ metadata, spec, status }: Job): number | undefined {
  if (spec.ttlSecondsAfterFinished === undefined || metadata.deletionTimestamp) return undefined;
  const finished = status?.conditions?.find(({ type, status: is }) => (type === 'Complete' || type === 'Failed') && is === 'True');
  const finishedMs = parseTime(finished?.lastTransitionTime ?? '');
  return finishedMs === undefined ? undefined : finishedMs + spec.ttlSecondsAfterFinished * 1000;
}
