import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseForm, flagz, statusz } from './debug-pages.ts';

const startedMs = Date.UTC(2026, 0, 2, 3, 4, 5);
const page = statusz({ version: 'v1.36.3+timonier', startedMs, nowMs: startedMs + 3_725_000, paths: ['/pods', '/statusz'] });

describe('debug pages', () => {
  it('for people', () => {
    assert.match(
      page.text,
      /^\nkubelet statusz\nWarning: .*\n\nStarted: Fri, 02 Jan 2026 03:04:05 GMT\nUp: 1 hr 02 min 05 sec\nBinary version: 1\.36\.3\n\nPaths: \/pods \/statusz\n$/,
    );
    assert.match(flagz({ b: '2', a: '1' }).text, /^\nkubelet flagz\nWarning: .*\na=1\nb=2\n$/);
  });

  it('for programs', () => {
    const form = chooseForm(page, 'application/json;v=v1beta1;g=config.k8s.io;as=Statusz');
    assert.deepEqual(JSON.parse(form?.body ?? ''), {
      kind: 'Statusz',
      apiVersion: 'config.k8s.io/v1beta1',
      metadata: {},
      startTime: '2026-01-02T03:04:05Z',
      uptimeSeconds: 3725,
      binaryVersion: '1.36.3',
      paths: ['/pods', '/statusz'],
    });
  });

  const rows = [
    { accept: undefined, want: 'text/plain; charset=utf-8' },
    { accept: '*/*', want: 'text/plain; charset=utf-8' },
    { accept: 'text/html, text/plain;q=0.5', want: 'text/plain; charset=utf-8' },
    { accept: 'application/json', want: undefined },
    { accept: 'application/json;v=v1;g=config.k8s.io;as=Statusz', want: undefined },
    { accept: 'application/json;v=v1beta1;g=config.k8s.io;as=Flagz', want: undefined },
    { accept: 'text/plain;v=v1beta1;g=config.k8s.io;as=Statusz', want: undefined },
    {
      accept: 'text/html, application/json;as=Statusz;g=config.k8s.io;v=v1beta1, */*',
      want: 'application/json;v=v1beta1;g=config.k8s.io;as=Statusz',
    },
  ];
  for (const { accept, want } of rows)
    it(`for ${accept ?? 'whoever does not say'}`, () => assert.equal(chooseForm(page, accept)?.contentType, want));
});
