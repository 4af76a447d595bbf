/**
 * A cluster on this machine: where its files are, and whether it runs. One directory holds everything (store,
 * certificates, kubeconfig, logs, containerd); `state.json` in it says which process serves it. A cluster with a
 * directory of its own choice is linked from the usual place, so that its name finds it. The usual place itself goes
 * with its last cluster, if it came with the first.
 */

import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  opendirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { realClock } from '../../client/clock.ts';
import { makeFolders, nearestThere } from '../../client/files/make-folders.ts';
import { isSpecial } from '../../client/files/replace-file.ts';
import { commandLine, isAlive, isProcessId, type KnownProcess, knownProcess, processIds } from '../../client/processes.ts';
import { FileGate } from '../../node/files/file-gate.ts';
import { removeTree } from '../../node/files/remove-tree.ts';
import { type ContainerdPaths, containerdPaths } from '../../node/runtime/containerd-config.ts';
import { realNodeName } from '../identities.ts';
import { OperationError } from '../operation-error.ts';
import { dataHome } from '../settings/home.ts';
import { notReadable, readKept, writeKept } from '../settings/kept-file.ts';
import { readSettings, type SettingsRecord, settingsFile, writeSettings } from '../settings/settings.ts';
import { allStarted } from './started-processes.ts';

const badDataDir = 'bad-data-dir';
/** Names go into links, namespaces, cgroups and contexts: a DNS label of at most 40 characters. */
const namePattern = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;

export function checkClusterName(name: string): string {
  if (namePattern.test(name)) return name;
  throw new OperationError({
    code: 'bad-name',
    message: `"${name}" is no cluster name`,
    fix: 'use lower-case letters, digits and "-", at most 40, beginning and ending with a letter or digit',
  });
}

/** This machine's name, as far as it fits. */
export const machineName = (): string =>
  hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '');

/** For a cluster that is nobody's but a program's: it may hold other files, since nothing deletes it. */
export function makeDataDir(dir: string): void {
  try {
    makePrivateDir(dir);
  } catch (cause) {
    const fix = 'give a directory that you may write to, or leave dataDir out: all is in memory then';
    throw new OperationError({ code: badDataDir, message: `can't keep the cluster in ${dir}`, fix, cause });
  }
}

/** One that is there stays as it is, if it can be used. */
function makePrivateDir(dir: string): void {
  makeFolders(dirname(dir));
  if (!existsSync(dir)) mkdirSync(dir, { mode: 0o700 }); // recursive, it would not say why it can't
  opendirSync(dir).closeSync();
  accessSync(dir, constants.W_OK | constants.X_OK);
}

export const rootOfRoot = '/var/lib/timonier';

/** Where clusters live: /var/lib/timonier for root, else the user's data home. */
export function instancesRoot(env: NodeJS.ProcessEnv = process.env): string {
  if (env['TIMONIER_ROOT']) return resolve(env['TIMONIER_ROOT']);
  if (process.getuid?.() === 0) return rootOfRoot;
  return join(dataHome(env), 'timonier');
}

/** What `put` puts there; a directory given with --data-dir needs a link in it, too. */
function inRoot<T>(put: (root: string) => T): T {
  const root = instancesRoot();
  try {
    return put(root);
  } catch (cause) {
    const fix = 'name another place, where you may write: TIMONIER_ROOT=DIR';
    throw new OperationError({ code: badDataDir, message: `can't write to ${root}, where clusters are kept`, fix, cause });
  }
}

/** In a root that was made here: one that was there before stays. */
const rootMark = '.made-by-timonier';

function makeRoot(): void {
  inRoot((root) => {
    if (makeFolders(root) !== undefined) writeFileSync(join(root, rootMark), '');
    if (!statSync(root).isDirectory()) throw new Error('it is no directory');
  });
}

function removeEmptyRoot(): void {
  const root = instancesRoot();
  if (!existsSync(root) || readdirSync(root).join() !== rootMark) return;
  rmSync(join(root, rootMark));
  rmdirSync(root);
}

export interface InstanceState extends KnownProcess {
  readonly server: string;
  readonly startedAt: string;
  readonly nodes: number;
  readonly simulated: number;
  readonly version: string;
  /** it was asked to stop */
  readonly stopping?: boolean;
  /** the user's kubeconfig that holds the context, or the file that was asked for */
  readonly kubeconfig: string;
  /** that file is only this cluster's */
  readonly ownKubeconfig: boolean;
}

export class Instance {
  readonly name: string;
  readonly dir: string;
  readonly #link: string;

  constructor(name: string, dataDir?: string) {
    this.name = checkClusterName(name);
    this.#link = join(instancesRoot(), name);
    this.dir = dataDir === undefined ? linkedDir(this.#link) : realPath(checkFolder(dataDir));
  }

  /** Also while it is only being started for the first time. */
  get exists(): boolean {
    return this.hasBegun || this.isWanted || this.isLost;
  }
  /** Its directory was moved, or removed by hand; the link to it is left. */
  get isLost(): boolean {
    return this.dir !== this.#link && !existsSync(this.dir) && linkedDir(this.#link) === this.dir;
  }
  /** A start came so far that there is something to keep. */
  get hasBegun(): boolean {
    return hasBegun(this.dir);
  }
  /** `up` was told to start it, and nobody has begun to delete it since. */
  get isWanted(): boolean {
    return existsSync(this.#path(settingsFile));
  }
  get kubeconfig(): string {
    return this.#path('admin.kubeconfig');
  }
  get logFile(): string {
    return this.#path(logName);
  }

  /** Makes the directory, and the link to it when it lies elsewhere. */
  create(): void {
    this.#checkPlace();
    makeRoot();
    if (this.dir === this.#link) inRoot(() => makePrivateDir(this.dir));
    try {
      makePrivateDir(this.dir);
      if (isSpecial(this.logFile)) throw new Error(`${logName} in it is no file`);
      if (this.dir !== this.#link && holdsOthers(this.dir))
        throw new Error('it holds files that are no cluster’s, and they would go with it');
    } catch (cause) {
      removeEmptyRoot();
      const fix = 'give a directory that you may write to, empty or a cluster’s: --data-dir DIR';
      throw new OperationError({ code: badDataDir, message: `can't keep the cluster in ${this.dir}`, fix, cause });
    }
    if (this.dir === this.#link) return;
    const there = lstatSync(this.#link, { throwIfNoEntry: false });
    if (there?.isSymbolicLink()) {
      if (resolve(readlinkSync(this.#link)) === this.dir) return;
      inRoot(() => rmSync(this.#link));
    } else if (there) {
      throw new OperationError({
        code: 'name-taken',
        message: `the cluster "${this.name}" is in ${this.#link} already`,
        fix: 'take another name, or delete that cluster first',
      });
    }
    inRoot(() => symlinkSync(this.dir, this.#link));
  }

  /** Where nothing can be written, nothing can be ended well. */
  checkWritable(): void {
    if (!existsSync(this.dir)) return;
    try {
      accessSync(this.dir, constants.W_OK);
    } catch (cause) {
      const fix = `make it writable (mount it anew, or as its owner), then the same command again`;
      throw new OperationError({ code: 'read-only', message: `can't write in ${this.dir}`, fix, cause });
    }
  }

  /**
   * Of a directory that somebody gave: that it is this cluster's, by its record or by the link from the usual place. What is
   * another cluster's, or nobody's that is known, is not stopped or removed under this name.
   */
  checkIsOwn(): void {
    const isLinked = readlinkIfThere(this.#link) !== '' && linkedDir(this.#link) === this.dir;
    if (!existsSync(this.dir) || isLinked || this.dir === this.#link) return;
    const of = this.#recordedName();
    if (of === this.name) return;
    const [message, fix] =
      of === undefined
        ? [
            `${this.dir} does not say that it is a cluster’s`,
            'call the cluster by its name, without --data-dir; other files are yours to remove',
          ]
        : [`${this.dir} is the cluster "${of}"`, `call it by its name: ${of}`];
    throw new OperationError({ code: 'not-its-directory', message, fix });
  }

  #recordedName(): string | undefined {
    try {
      return readSettings({ name: '', dir: this.dir })?.name || undefined; // an early one does not say it
    } catch {
      return undefined; // damaged: it says nothing
    }
  }

  /** One name is one directory, and one directory one cluster. */
  #checkPlace(): void {
    const refuse = (message: string, fix: string): never => {
      throw new OperationError({ code: 'name-taken', message, fix });
    };
    const there = linkedDir(this.#link);
    if (there !== this.dir && existsSync(join(there, settingsFile)))
      refuse(`the cluster "${this.name}" is in ${there} already`, 'leave --data-dir out, take another name, or delete that cluster first');
    if (this.isLost)
      refuse(
        `the cluster "${this.name}" was in ${this.dir}, which is gone`,
        `say where it is now: --data-dir DIR; or timonier delete ${this.name}`,
      );
    const of = existsSync(this.dir) ? this.readSettings()?.name : undefined;
    if (of !== undefined && of !== this.name)
      refuse(`${this.dir} is the cluster "${of}"`, `call it by its name: timonier up ${of}; or give another directory`);
  }

  /** Undefined: never started, or stopped. */
  readState(): InstanceState | undefined {
    const file = this.#path('state.json');
    const fix = `timonier down ${this.name}: that ends whatever runs, and makes it good`;
    return readKept<InstanceState>(file, isState, fix);
  }

  writeState(state: Omit<InstanceState, 'startTicks'>): void {
    writeKept(this.#path('state.json'), { ...state, ...knownProcess(state.pid) });
  }

  /** The administrator's, which each start writes anew. */
  readKubeconfig(): string {
    try {
      const text = readFileSync(this.kubeconfig, 'utf8');
      if (text.includes('client-key-data:') && text.endsWith('\n')) return text;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    const fix = `timonier down ${this.name}, then timonier up ${this.name}: that writes it anew`;
    throw new OperationError({ code: 'file-damaged', message: `${this.kubeconfig} is gone or damaged`, fix });
  }

  /** Undefined: nobody has started it yet. */
  readSettings(): SettingsRecord | undefined {
    return readSettings(this);
  }

  writeSettings(record: Omit<SettingsRecord, 'name'>): void {
    writeSettings(this.dir, { ...record, name: this.name });
  }

  /** Somebody holds `lockStart`, or was killed with it. */
  get isStarting(): boolean {
    return readlinkIfThere(this.#path('starting')) !== '';
  }

  /** The process of `run` that is not ready yet. */
  get startingInForeground(): KnownProcess | undefined {
    const { how, ...holder } = holderOf(this.#path('starting'));
    return how === 'run' && holder.pid !== process.pid && isProcessId(holder.pid) && isAlive(holder) ? holder : undefined;
  }

  /**
   * A link, since it is made in one step and needs no room on a full disk. One of a process that is gone counts for
   * nothing. `run`: this process itself is to serve.
   */
  lockStart(how: 'run' | 'other' = 'other'): Disposable {
    const file = this.#path('starting');
    const mine = `${process.pid}-${knownProcess(process.pid).startTicks ?? ''}-${how}`;
    for (let attempt = 0; ; attempt++) {
      try {
        symlinkSync(mine, file);
        return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const { how: _, ...holder } = holderOf(file);
      if (attempt < lockAttemptsMax && !(isProcessId(holder.pid) && isAlive(holder))) {
        rmSync(file, { force: true });
        continue;
      }
      throw startingAlready(this.name, holder.pid);
    }
  }

  /** A start that is under way then knows that it is not to clean up: who deletes the cluster does. */
  setUnwanted(): void {
    rmSync(this.#path(settingsFile), { force: true });
  }

  /** Its blocks stay for the next one: a full disk has no others. */
  clearState(): void {
    if (existsSync(this.#path('state.json'))) renameSync(this.#path('state.json'), this.#path('state.json.new'));
  }

  /** The state when its process is alive; a stale one counts as none. */
  running(): InstanceState | undefined {
    const state = this.readState();
    return state && isAlive(state) ? state : undefined;
  }

  /** Removes every file. The log that stays of a first start that failed is no cluster. */
  async remove({ keepLog = false }: { readonly keepLog?: boolean } = {}): Promise<void> {
    // containers may have made trees that no path reaches
    if (existsSync(nodesDir(this.dir))) await removeTree(keepLog ? nodesDir(this.dir) : this.dir, new FileGate({ clock: realClock }));
    if (keepLog && existsSync(this.logFile)) {
      for (const name of readdirSync(this.dir))
        if (name !== ofFileSystem && name !== logName) rmSync(this.#path(name), { recursive: true });
      return;
    }
    rmSync(this.dir, { recursive: true, force: true });
    if (lstatSync(this.#link, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(this.#link);
    removeEmptyRoot();
  }

  #path(...parts: string[]): string {
    return join(this.dir, ...parts);
  }
}

export const hasBegun = (dir: string): boolean => ['store', 'state.json'].some((name) => existsSync(join(dir, name)));

const lockAttemptsMax = 3;

export const startingAlready = (name: string, pid: number | string): OperationError =>
  new OperationError({
    code: 'starting',
    message: `cluster "${name}" is being started already (process ${pid})`,
    fix: `wait for it: timonier status ${name}; or end it: timonier down ${name}`,
  });

const realPath = (path: string): string => (existsSync(path) ? realpathSync(path) : resolve(path));

/** It is a directory, or there is room for one. */
function checkFolder(dir: string): string {
  const there = nearestThere(dir);
  if (statSync(there).isDirectory()) return dir;
  throw new OperationError({ code: badDataDir, message: `${there} is no directory`, fix: 'give a directory: --data-dir DIR' });
}

/** Where a link leads, though there may be nothing. */
function linkedDir(link: string): string {
  const to = readlinkIfThere(link);
  return to === '' ? link : realPath(resolve(dirname(link), to));
}

function readlinkIfThere(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return ''; // none, or no link
  }
}

/** Of the link of a start. */
function holderOf(link: string): KnownProcess & { readonly how: string | undefined } {
  const [pid = '', startTicks, how] = readlinkIfThere(link).split('-');
  return { pid: Number(pid), startTicks: startTicks || undefined, how };
}

function isState({ pid, server, startedAt, nodes, simulated, kubeconfig, startTicks }: Partial<InstanceState>): boolean {
  const isWhole = isProcessId(pid) && typeof server === 'string' && URL.canParse(server) && typeof startedAt === 'string';
  return (
    isWhole &&
    [nodes, simulated].every(Number.isInteger) &&
    [kubeconfig, startTicks].every((each) => each === undefined || typeof each === 'string')
  );
}

const logName = 'timonier.log';
/** One of them at least is in the directory of every cluster that was begun. */
const marks = [settingsFile, 'state.json', logName, 'admin.kubeconfig', 'store/data.mdb'];
/** In the top directory of a file system. */
const ofFileSystem = 'lost+found';

function holdsOthers(dir: string): boolean {
  return readdirSync(dir).some((name) => name !== ofFileSystem) && !marks.some((mark) => existsSync(join(dir, mark)));
}

export const nodesDir = (dir: string): string => join(dir, 'nodes');
/** By number, not by name: it holds sockets, whose paths are short. */
export const nodeDir = (dir: string, number: number): string => join(nodesDir(dir), String(number));
/** Of all real nodes that it has or had: those that are there, and those that processes name, whose files may be gone. */
export function nodeDirs(dir: string): string[] {
  const there = existsSync(nodesDir(dir)) ? readdirSync(nodesDir(dir)) : [];
  const below = `${nodesDir(dir)}/`;
  const words = processIds()
    .flatMap(commandLine)
    .filter((word) => word.startsWith(below));
  const named = words.map((word) => word.slice(below.length).split('/')[0]);
  return [...new Set([...there, ...named].filter((name) => /^\d+$/.test(name ?? '')))].map((name) => nodeDir(dir, Number(name)));
}
export const containerdDir = (ofNode: string): string => join(ofNode, 'containerd');
export const containerdOf = (ofNode: string): ContainerdPaths => containerdPaths(containerdDir(ofNode));

export interface RealNode {
  readonly name: string;
  readonly dir: string;
}

/** Those of a cluster that runs. */
export const realNodesOf = ({ name, dir }: Instance, { nodes }: InstanceState): RealNode[] =>
  Array.from({ length: nodes }, (_, i) => ({ name: realNodeName(name, i + 1), dir: nodeDir(dir, i + 1) }));

function namesIn(root: string): string[] {
  try {
    return existsSync(root) ? readdirSync(root) : [];
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EACCES' ? notReadable(root, error) : error;
  }
}

export function listInstances(): Instance[] {
  const root = instancesRoot();
  const running = allStarted().filter(({ name, dir }) => new Instance(name).dir === dir);
  const there = namesIn(root).filter((name) => namePattern.test(name));
  const started = new Set(running.map(({ name }) => name));
  return [...new Set([...there, ...started])]
    .sort()
    .map((name) => new Instance(name))
    .filter((instance) => instance.exists || started.has(instance.name));
}
