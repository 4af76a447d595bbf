/** ServiceAccount: what is filled in, and what is refused. */
import { testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'takes what is complete',
    given: { apiVersion: 'v1', kind: 'ServiceAccount', secrets: [{ name: 'a', kind: 'b' }], automountServiceAccountToken: false },
  },
]);
