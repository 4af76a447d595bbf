/**
 * What expressions cost: compiled, and evaluated over an object of the store, in processor time of this process. Needs no
 * server. `node bench/expressions.ts`
 */
import { baseEnvironment } from '../src/api/cel/base.ts';
import { CompileError, compile, evaluate } from '../src/api/cel/compile.ts';
import type { JSONSchemaProps } from '../src/api/generated/apiextensions-v1.ts';
import { declare } from '../src/api/schema/structural/rules/declared-type.ts';
import { readerOf } from '../src/api/schema/structural/rules/read-value.ts';
import { Structural } from '../src/api/schema/structural/structural.ts';

const schema: JSONSchemaProps = {
  type: 'object',
  properties: {
    replicas: { type: 'integer' },
    maxReplicas: { type: 'integer' },
    name: { type: 'string' },
    ports: { type: 'array', items: { type: 'object', properties: { port: { type: 'integer' } } } },
    numbers: { type: 'array', items: { type: 'integer' } },
  },
};
const object = {
  replicas: 3,
  maxReplicas: 5,
  name: 'abc-def',
  ports: Array.from({ length: 10 }, (_, i) => ({ port: i + 1 })),
  numbers: Array.from({ length: 100 }, (_, i) => i),
};

const rules = [
  'self.replicas <= self.maxReplicas',
  'has(self.name) && self.name.startsWith("abc")',
  'self.name.matches("^[a-z]+(-[a-z]+)*$")',
  'self.ports.all(p, p.port > 0 && p.port < 65536)',
  'self.numbers.all(n, n >= 0 && n < 100)',
];

const roundCount = 5;

/** Microseconds of one call, of the best round. */
function measure(count: number, call: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round <= roundCount; round += 1) {
    const before = process.cpuUsage().user;
    for (let i = 0; i < count; i += 1) call();
    if (round > 0) best = Math.min(best, (process.cpuUsage().user - before) / count);
  }
  return best;
}

const node = new Structural(schema);
const declared = declare(node, 'selfType', false);
if (!declared) throw new Error('the schema says nothing');
const environment = baseEnvironment.extend({ variables: { self: declared.type } });
const read = readerOf(node);

for (const rule of rules) {
  const program = compile(rule, environment);
  if (program instanceof CompileError) throw new Error(program.detail);
  const compiling = measure(1000, () => compile(rule, environment));
  const evaluating = measure(50_000, () => evaluate(program, { self: read(object) }));
  process.stdout.write(`${evaluating.toFixed(2).padStart(8)} µs  compiled in ${compiling.toFixed(0).padStart(4)} µs  ${rule}\n`);
}
