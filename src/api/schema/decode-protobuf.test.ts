import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs/minimal.js';
import { decodeProtobuf, ProtobufError, ProtobufTooLargeError } from './decode-protobuf.ts';

type Fields = readonly (readonly [number, string | number | boolean | Fields])[];

/** Writes fields by number: texts and nested fields length-delimited, numbers and booleans as varints. */
function message(fields: Fields): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const [number, value] of fields) {
    if (typeof value === 'string') writer.uint32((number << 3) | 2).string(value);
    else if (typeof value === 'object') writer.uint32((number << 3) | 2).bytes(message(value));
    else writer.uint32(number << 3).int64(Number(value));
  }
  return writer.finish();
}
function envelope(apiVersion: string, kind: string, body: Fields): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(10).bytes(
    message([
      [1, apiVersion],
      [2, kind],
    ]),
  );
  writer.uint32(18).bytes(message(body));
  return Buffer.concat([Buffer.from('k8s\0'), writer.finish()]);
}

const cases: { name: string; given: Uint8Array; want: object }[] = [
  {
    name: 'maps, and zero values that Go always writes',
    given: envelope('v1', 'ConfigMap', [
      [
        1,
        [
          [1, 'a'],
          [2, ''],
          [3, 'default'],
          [8, []],
          [
            11,
            [
              [1, 'k'],
              [2, 'v'],
            ],
          ],
        ],
      ],
      [
        2,
        [
          [1, 'x'],
          [2, 'y'],
        ],
      ],
      [
        2,
        [
          [1, 'empty'],
          [2, ''],
        ],
      ],
    ]),
    want: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'default', labels: { k: 'v' } },
      data: { x: 'y', empty: '' },
    },
  },
  {
    name: 'a pointer keeps its zero',
    given: envelope('apps/v1', 'Deployment', [
      [
        2,
        [
          [1, 0],
          [5, 0],
        ],
      ],
    ]),
    want: { apiVersion: 'apps/v1', kind: 'Deployment', spec: { replicas: 0 } },
  },
  {
    name: 'structs that Go embeds, quantities, integers or strings',
    given: envelope('v1', 'Pod', [
      [
        2,
        [
          [
            1,
            [
              [1, 'tmp'],
              [
                2,
                [
                  [
                    2,
                    [
                      [1, 'Memory'],
                      [2, [[1, '64Mi']]],
                    ],
                  ],
                ],
              ],
            ],
          ],
          [
            2,
            [
              [1, 'c'],
              [2, 'image'],
              [3, 'sh'],
              [3, '-c'],
              [
                10,
                [
                  [
                    1,
                    [
                      [
                        2,
                        [
                          [1, '/ok'],
                          [
                            2,
                            [
                              [1, 1],
                              [3, 'http'],
                            ],
                          ],
                        ],
                      ],
                    ],
                  ],
                ],
              ],
            ],
          ],
        ],
      ],
    ]),
    want: {
      apiVersion: 'v1',
      kind: 'Pod',
      spec: {
        volumes: [{ name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } }],
        containers: [{ name: 'c', image: 'image', command: ['sh', '-c'], livenessProbe: { httpGet: { path: '/ok', port: 'http' } } }],
      },
    },
  },
  {
    name: 'times',
    given: envelope('coordination.k8s.io/v1', 'Lease', [
      [
        2,
        [
          [1, 'me'],
          [
            4,
            [
              [1, 1_700_000_000],
              [2, 5000],
            ],
          ],
        ],
      ],
    ]),
    want: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec: { holderIdentity: 'me', renewTime: '2023-11-14T22:13:20.000005Z' } },
  },
];

for (const { name, given, want } of cases) test(name, () => assert.deepEqual(decodeProtobuf(given, 'io.k8s.api.core.v1.Pod'), want));

test('what is no message is refused', () => {
  assert.throws(() => decodeProtobuf(Buffer.from('{"kind":"Pod"}'), 'io.k8s.api.core.v1.Pod'), ProtobufError);
  assert.throws(() => decodeProtobuf(Buffer.from('k8s\0\x12\xff\xff'), 'io.k8s.api.core.v1.Pod'), ProtobufError);
});

test('laws: bytes that were damaged on the way are a message or refused, and never more', () => {
  const good = cases.map(({ given }) => given);
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 });
  fc.assert(
    fc.property(fc.constantFrom(...good), damage, fc.nat(), (given, changes, end) => {
      const bytes = Buffer.from(given);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      try {
        JSON.stringify(decodeProtobuf(bytes.subarray(0, (end % bytes.length) + 1), 'io.k8s.api.core.v1.Pod'));
      } catch (error) {
        assert.ok(error instanceof ProtobufError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('what a message may hold is bounded', () => {
  const items = (count: number) => Buffer.concat(Array.from({ length: count }, () => Buffer.from([0x12, 0])));
  const unknown = (body: Buffer) => {
    const length = [];
    for (let rest = body.length; ; rest >>>= 7) {
      if (rest < 128) {
        length.push(rest);
        break;
      }
      length.push((rest & 127) | 128);
    }
    return Buffer.concat([Buffer.from('k8s\0\x12'), Buffer.from(length), body]);
  };
  assert.doesNotThrow(() => decodeProtobuf(unknown(items(50)), 'io.k8s.api.core.v1.Pod', 100));
  assert.throws(() => decodeProtobuf(unknown(items(200)), 'io.k8s.api.core.v1.Pod', 100), ProtobufTooLargeError);
});
