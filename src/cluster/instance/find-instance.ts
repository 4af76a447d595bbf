/** A cluster by its name, for every command that takes one: what there is when there is no such cluster, and what is when it does not run. */
import { existsSync, opendirSync } from 'node:fs';
import { join } from 'node:path';
import { OperationError } from '../operation-error.ts';
import { refuseInMemory } from './cluster-name.ts';
import { type ClusterState, readFacts, stateFrom } from './condition.ts';
import { Instance, type InstanceState, listInstances, rootOfRoot } from './instance.ts';
import { lostClusters, lostDirectory } from './name-claim.ts';
import { startedOf } from './started-processes.ts';

const namesShownMax = 5;

/** Throws when there is none. */
export async function existingInstance(name: string, dataDir?: string): Promise<Instance> {
  const instance = new Instance(name, dataDir);
  if (dataDir !== undefined) instance.checkIsOwn();
  if (instance.exists || startedOf(instance).length > 0) return instance;
  const lost = await lostDirectory(name);
  if (lost !== undefined && (dataDir === undefined || lost === instance.dir)) return new Instance(name, lost);
  refuseInMemory(name);
  if (existsSync(instance.logFile)) throw failedFirst(name);
  const others = [instance.dir, join(rootOfRoot, name)].find(isAnothers);
  if (others !== undefined) throw anothers(name, others);
  throw noSuchCluster(
    name,
    listInstances().map((each) => each.name),
  );
}

/** Also where only the log of a first start that failed is left. */
export async function existingOrItsLog(name: string, dataDir?: string): Promise<Instance> {
  const instance = new Instance(name, dataDir);
  if (dataDir !== undefined) instance.checkIsOwn();
  return existsSync(instance.logFile) ? instance : existingInstance(name, dataDir);
}

/** All of this machine, with those that are there without their files. */
export async function allInstances(): Promise<Instance[]> {
  const there = listInstances();
  const lost = (await lostClusters()).filter(({ dir }) => there.every((each) => each.dir !== dir));
  return [...there, ...lost.map(({ name, dir }) => new Instance(name, dir))].sort((a, b) => a.name.localeCompare(b.name));
}

/** A start would make another cluster of what is left of this one. */
export async function refuseLost({ name, exists, dir }: Instance): Promise<void> {
  const lost = exists ? undefined : await lostDirectory(name);
  if (lost === undefined) return;
  const message = `cluster "${name}" has its nodes on this machine, and its files in ${lost} are gone`;
  const fix = lost === dir ? `timonier delete ${name}` : `timonier delete ${name}, or take another name`;
  throw new OperationError({ code: 'directory-gone', message, fix });
}

/** It is there, and this user may not look into it. */
function isAnothers(dir: string): boolean {
  try {
    opendirSync(dir).closeSync();
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

const anothers = (name: string, dir: string): OperationError =>
  new OperationError({
    code: 'not-yours',
    message: `${dir} is another user’s: whether cluster "${name}" runs is not yours to read`,
    fix: 'ask as the user who started it (root: sudo timonier …)',
  });

const failedFirst = (name: string): OperationError =>
  new OperationError({
    code: 'no-such-cluster',
    message: `there is no cluster "${name}": its first start failed`,
    fix: `timonier logs ${name} says why; timonier up ${name} tries again`,
  });

export function noSuchCluster(name: string, names: readonly string[]): OperationError {
  const more = names.length - namesShownMax;
  const shown = `${names.slice(0, namesShownMax).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return new OperationError({
    code: 'no-such-cluster',
    message: `there is no cluster "${name}"`,
    fix: names.length > 0 ? `name one that is there: ${shown}` : `timonier up ${name} makes it`,
  });
}

/** One that serves. Throws with what it does instead. */
export async function runningInstance(name: string): Promise<{ readonly instance: Instance; readonly state: InstanceState }> {
  const instance = await existingInstance(name);
  const facts = await readFacts(instance);
  if (facts.damage) throw facts.damage;
  if (facts.serving) return { instance, state: facts.serving };
  throw notServing(name, stateFrom(facts));
}

function notServing(name: string, state: ClusterState): OperationError {
  const refusal = (code: string, what: string, fix: string) => new OperationError({ code, message: `cluster "${name}" ${what}`, fix });
  const up = `timonier up ${name}`;
  const wait = `timonier status ${name} says when; timonier logs ${name} says why`;
  switch (state) {
    case 'starting':
      return refusal(state, 'is being started', wait);
    case 'restarting':
      return refusal(state, 'is being started again, since its process died', wait);
    case 'crashed':
      return refusal(state, 'has crashed', up);
    default:
      return refusal('not-running', 'is not running', up);
  }
}
