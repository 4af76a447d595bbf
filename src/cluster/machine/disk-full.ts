/** A start or a command that found no room on the disk, in words that say where and what to do. */
import { isDiskFull } from '../../client/files/replace-file.ts';
import { diskRoomBytes } from '../../control-plane/store/disk-room.ts';
import { Instance } from '../instance/instance.ts';
import { OperationError } from '../operation-error.ts';

/** Less than this is none: not even a small file fits, whatever the failure was that this led to. */
const roomBytesMin = 64 * 1024;

const code = 'disk-full';

/** The same error where the disk has room. */
export function explainFullDisk(error: unknown, { name, dir }: Pick<Instance, 'name' | 'dir'>): unknown {
  if ((error instanceof OperationError && error.code === code) || (!isDiskFull(error) && hasRoom(dir))) return error;
  const otherwise = new Instance(name, dir).exists
    ? `give the cluster up: timonier delete ${name}`
    : 'give another directory: --data-dir DIR';
  const fix = `free space in ${dir}, or ${otherwise}`;
  return new OperationError({ code, message: `the disk of ${dir} is full`, fix, cause: error });
}

function hasRoom(dir: string): boolean {
  try {
    return diskRoomBytes(dir) >= roomBytesMin;
  } catch {
    return true; // the directory is gone, which is another matter
  }
}
