/** A cluster by its name, for every command that takes one: what there is when there is no such cluster, and what is when it does not run. */
import { existsSync } from 'node:fs';
import { readFacts, stateFrom } from './condition.ts';
import { Instance, type InstanceState, listInstances } from './instance.ts';
import { OperationError } from './operation-error.ts';
import { startedOf } from './started-processes.ts';

const namesShownMax = 5;

/** Throws when there is none. */
export function existingInstance(name: string, dataDir?: string): Instance {
  const instance = new Instance(name, dataDir);
  if (instance.exists || startedOf(instance).length > 0) return instance;
  if (existsSync(instance.logFile)) throw failedFirst(name);
  throw noSuchCluster(
    name,
    listInstances().map((each) => each.name),
  );
}

/** Also where only the log of a first start that failed is left. */
export function existingOrItsLog(name: string, dataDir?: string): Instance {
  const instance = new Instance(name, dataDir);
  return existsSync(instance.logFile) ? instance : existingInstance(name, dataDir);
}

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
  const instance = existingInstance(name);
  const facts = await readFacts(instance);
  if (facts.damage) throw facts.damage;
  if (facts.serving) return { instance, state: facts.serving };
  const [message, fix] = {
    starting: ['is being started', `timonier status ${name} says when; timonier logs ${name} says why`],
    restarting: ['is being started again, since its process died', `timonier status ${name} says when; timonier logs ${name} says why`],
    crashed: ['has crashed', `timonier up ${name}`],
    stopped: ['is not running', `timonier up ${name}`],
  }[stateFrom(facts) as 'starting' | 'restarting' | 'crashed' | 'stopped'] as [string, string];
  throw new OperationError({
    code: stateFrom(facts) === 'stopped' ? 'not-running' : stateFrom(facts),
    message: `cluster "${name}" ${message}`,
    fix,
  });
}
