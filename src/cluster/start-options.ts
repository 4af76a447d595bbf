/** What `startCluster` takes, beside what a configuration file may say; checked before anything is started. */

import type { StartOptions } from './cluster.ts';
import { componentNames } from './component-names.ts';
import { OperationError } from './operation-error.ts';
import { anyText, checkSettings, type Fields, type ValueCheck } from './settings/check-settings.ts';
import { configFields } from './settings/config.ts';

/** An object that has these functions, own or inherited. */
const having =
  (...names: readonly string[]): ValueCheck =>
  (value) =>
    isObject(value) && names.every((name) => typeof Reflect.get(value, name) === 'function');
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isComponent = (value: unknown): boolean => (componentNames as readonly unknown[]).includes(value);
const timeoutMsMax = 2 ** 31 - 1;

const fields: Fields<StartOptions> = {
  ...configFields,
  name: { check: anyText, what: 'a name' },
  dataDir: { check: anyText, what: 'the path of a directory' },
  components: {
    check: (value) => Array.isArray(value) && value.length > 0 && value.every(isComponent),
    what: `a list of some of: ${componentNames.join(', ')}`,
  },
  access: { check: (value) => isObject(value) && anyText(value['server']), what: 'an object with the server’s address and credentials' },
  clock: { check: having('now', 'monotonic', 'setTimeout', 'setInterval', 'sleep'), what: 'a clock: realClock, or a VirtualClock' },
  random: { check: having('next', 'uuid', 'suffix'), what: 'a source of chance: realRandom, or a seededRandom' },
  log: { check: having('debug', 'info', 'warn', 'error', 'child'), what: 'a log: silentLog, or one of your own' },
  signal: { check: (value) => value instanceof AbortSignal, what: 'an AbortSignal' },
  faults: { check: isObject, what: 'what watches the process' },
  timeoutMs: {
    check: (value) => typeof value === 'number' && value > 0 && value <= timeoutMsMax,
    what: `a number of milliseconds, more than 0 and at most ${timeoutMsMax}`,
  },
  onPhase: { check: (value) => typeof value === 'function', what: 'a function' },
};

export function checkStartOptions(given: unknown): StartOptions {
  if (isObject(given) && !Array.isArray(given)) {
    const options = checkSettings<StartOptions>(given, { fields, where: 'startCluster', noun: 'option' });
    if (options.components && !options.components.includes('api-server')) refuseServerOptions(options);
    return options;
  }
  throw new OperationError({
    code: 'bad-config',
    message: 'startCluster takes an object of options',
    fix: 'such as startCluster({ simulated: 2 })',
  });
}

const ofServer = /^(dataDir|port|host|runtimeConfig|disableAdmissionPlugins|historySeconds|audit.*|store|etcd.*)$/;

/** What would mean nothing to components beside an API server elsewhere. */
export function refuseServerOptions(given: object): void {
  const [name] = Object.entries(given).flatMap(([name, value]) => (ofServer.test(name) && value !== undefined ? [name] : []));
  if (name === undefined) return;
  const message = `${name} is for the API server, which runs elsewhere; these components keep nothing`;
  throw new OperationError({ code: 'bad-config', message, fix: 'leave it out, or add api-server to the components', exitCode: 2 });
}

/** Of `clientFor`. */
export function checkUser(user: unknown): { readonly name: string; readonly groups: readonly string[] } {
  if (isObject(user)) {
    const { name, groups = [] } = user;
    if (anyText(name) && Array.isArray(groups) && groups.every(anyText)) return { name: name as string, groups };
  }
  throw new OperationError({
    code: 'bad-user',
    message: 'clientFor takes a user: a name and, if need be, a list of groups',
    fix: "such as clientFor({ name: 'jane', groups: ['bakers'] })",
  });
}
