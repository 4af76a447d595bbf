import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeChoice } from './diagnosis.ts';
import type { Rejection } from './framework.ts';

const taint: Rejection = { plugin: 'TaintToleration', reasons: ['node(s) had untolerated taint(s)'], unresolvable: true };
const full: Rejection = { plugin: 'NodeResourcesFit', reasons: ['Insufficient cpu', 'Insufficient memory'], unresolvable: false };

const rows = [
  { given: { nodeCount: 1, looked: 1, feasible: 1, rejections: [] }, want: 'of 1 node 1 fits' },
  { given: { nodeCount: 3, looked: 3, feasible: 2, rejections: [taint] }, want: 'of 3 nodes 2 fit: 1 node(s) had untolerated taint(s)' },
  {
    given: { nodeCount: 4, looked: 4, feasible: 1, rejections: [full, taint, full] },
    want: 'of 4 nodes 1 fits: 2 Insufficient cpu, 2 Insufficient memory, 1 node(s) had untolerated taint(s)',
  },
  { given: { nodeCount: 5000, looked: 500, feasible: 500, rejections: [] }, want: 'of 5000 nodes 500 looked at, 500 fit' },
];
for (const { given, want } of rows) test(`out of what a node was chosen: ${want}`, () => assert.equal(describeChoice(given), want));
