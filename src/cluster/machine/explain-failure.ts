/**
 * What a failure of the system means to who starts a cluster: the cause in plain words, and the one thing to do. By the
 * error's code, never by where it came up: what is not known here is told as it is, with no guess.
 */
import { DamagedKeyError } from '../../control-plane/pki/cluster-pki.ts';
import { StoreDamagedError, StoreTooNewError } from '../../control-plane/store/storage.ts';
import { describePortOwner } from './port-owner.ts';

export interface Explanation {
  readonly code: string;
  /** absent: the error's own says it */
  readonly message?: string;
  readonly fix: string;
}

/** Of an error, or the first of its causes that is known. */
export function explainFailure(error: unknown, ownerOf: (port: number) => string | undefined = describePortOwner): Explanation | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof DamagedKeyError) return { code: error.code, fix: error.fix };
  if (error instanceof StoreDamagedError)
    return { code: error.code, fix: 'put the directory `store` back from a copy; without one: timonier delete, and begin anew' };
  if (error instanceof StoreTooNewError)
    return { code: error.code, message: error.message, fix: 'start it with the timonier that last ran it, or a later one' };
  return bySystemCode(error, ownerOf) ?? explainFailure(error.cause, ownerOf);
}

interface SystemError extends NodeJS.ErrnoException {
  /** of a socket */
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
}

function bySystemCode(error: SystemError, ownerOf: (port: number) => string | undefined): Explanation | undefined {
  const { code, syscall, address = '', port = 0, path = '' } = error;
  switch (code) {
    case 'EADDRINUSE': {
      const owner = ownerOf(port);
      const fix = 'give another port: --port P; or a free one: --port 0';
      return { code: 'port-taken', message: `port ${port} is taken${owner ? ` by ${owner}` : ''}`, fix };
    }
    case 'EADDRNOTAVAIL':
      return { code: 'no-such-address', message: `${address} is no address of this machine`, fix: 'give one that it has: --host ADDRESS' };
    case 'ENOTFOUND':
      return {
        code: 'no-such-address',
        message: `no address is known for "${error.hostname ?? ''}"`,
        fix: 'give an address: --host ADDRESS',
      };
    case 'EACCES':
    case 'EPERM':
      if (syscall === 'listen' || syscall === 'bind')
        return { code: 'no-rights', message: `port ${port} is root's alone`, fix: 'give one from 1024 on: --port P; or run as root' };
      return path
        ? { code: 'no-rights', message: `no right to use ${path}`, fix: 'become its owner, or give another: --data-dir DIR' }
        : undefined;
    case 'EROFS':
      return {
        code: 'read-only',
        message: `${path || 'the disk'} can only be read`,
        fix: 'give a directory on another disk: --data-dir DIR',
      };
    case 'EMFILE':
    case 'ENFILE':
      return { code: 'too-many-files', message: 'too many open files', fix: 'allow more: ulimit -n 65536' };
    default:
      return undefined;
  }
}
