/** How much a disk still takes, and when that is none: then a store that lies on it says that it can't write. */
import { statfsSync } from 'node:fs';

/** Less is a full disk: not even the largest object would fit. */
export const diskRoomBytesMin = 2 * 2 ** 20;

/** Of the disk that a path lies on, for this user. */
export function diskRoomBytes(path: string): number {
  const { bsize, bfree, bavail } = statfsSync(path);
  return bsize * (process.getuid?.() === 0 ? bfree : bavail);
}
