/** What the verbs work with: made once per server, passed to each of them. */
import type { Clock, Random } from '../../../client/clock.ts';
import type { Log } from '../../../client/log.ts';
import type { Storage } from '../../store/storage.ts';
import type { ActChannel } from '../acts/act-channel.ts';
import type { AdmissionChain } from '../admission/admission-chain.ts';
import type { Authorize } from '../authorization/decide.ts';
import type { Periodic } from '../cache/periodic.ts';
import type { ServedKinds } from '../cache/served-kinds.ts';
import type { WatchCache } from '../cache/watch-cache.ts';
import type { Allocators } from './allocator.ts';
import type { SharedLeases } from './shared-leases.ts';
import type { Turns } from './turns.ts';

export interface VerbContext {
  readonly storage: Storage;
  readonly cache: WatchCache;
  readonly kinds: ServedKinds;
  /** of what a request does beside what it asks for: an update that creates */
  readonly authorize: Authorize;
  readonly admission: AdmissionChain;
  readonly allocators: Allocators;
  readonly turns: Turns;
  /** where what was done is told, when somebody listens */
  readonly acts: ActChannel;
  readonly leases: SharedLeases;
  /** when watchers are told the revision */
  readonly bookmarks: Periodic;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}
