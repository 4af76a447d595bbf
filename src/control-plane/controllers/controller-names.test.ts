import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ControllerName, controllerChoice, controllerNames, controllersProblem } from './controller-names.ts';
import { builtinControllers } from './index.ts';

const but = (...names: ControllerName[]): ControllerName[] => controllerNames.filter((name) => !names.includes(name));
const rows: readonly { name: string; given: readonly string[] | undefined; want: readonly ControllerName[] | string }[] = [
  { name: 'nothing said', given: undefined, want: controllerNames },
  { name: 'all by default', given: ['*'], want: controllerNames },
  { name: 'none', given: ['none'], want: [] },
  { name: 'an empty list', given: [], want: [] },
  { name: 'one alone', given: ['job-controller'], want: ['job-controller'] },
  {
    name: 'all but two',
    given: ['*', '-garbage-collector-controller', '-namespace-controller'],
    want: but('garbage-collector-controller', 'namespace-controller'),
  },
  { name: 'what is left out stands before the star', given: ['-job-controller', '*'], want: but('job-controller') },
  { name: 'only something left out', given: ['-job-controller'], want: [] },
  { name: 'the first word wins', given: ['job-controller', '-job-controller'], want: ['job-controller'] },
  {
    name: 'older names',
    given: ['*', '-garbagecollector', '-podgc'],
    want: but('garbage-collector-controller', 'pod-garbage-collector-controller'),
  },
  { name: 'an older name alone', given: ['endpoint'], want: ['endpoints-controller'] },
  { name: 'what is not built is left out', given: ['*', '-resourceclaim-controller', '-ttl'], want: controllerNames },
  { name: 'what is not built is asked for', given: ['*', 'ttl'], want: 'the controller "ttl" is not built yet' },
  { name: 'an unknown name', given: ['*', '-garbage'], want: 'there is no controller "garbage"' },
  { name: 'a word of every object', given: ['constructor'], want: 'there is no controller "constructor"' },
  { name: 'an empty word', given: [''], want: 'there is no controller ""' },
  { name: 'none beside others', given: ['none', 'job'], want: '"none" stands alone' },
];
for (const { name, given, want } of rows)
  test(`which controllers run: ${name}`, () => {
    const runs = controllerChoice(given);
    assert.deepEqual(controllersProblem(given ?? ['*']) ?? controllerNames.filter(runs), want);
  });

test('a set holds the controllers that were chosen', () => {
  const options = { clusterCIDR: '10.244.0.0/16' };
  const all = builtinControllers(options).map(({ name }) => name);
  const some = builtinControllers({ ...options, chosen: controllerChoice(['*', '-disruption']) }).map(({ name }) => name);
  assert.deepEqual(
    some,
    all.filter((name) => name !== 'controllermanager'),
  );
  assert.deepEqual(builtinControllers({ ...options, chosen: controllerChoice(['none']) }), []);
});
