/** The wanted times and errors are those of github.com/robfig/cron/v3. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CronError, parseCron } from './cron.ts';
import { formatTime } from './time.ts';
import { TimeZone } from './time-zone.ts';

const ms = (text: string): number => Date.parse(text);
const text = (atMs: number | undefined): string | undefined => (atMs === undefined ? undefined : formatTime(atMs));

const times: { schedule: string; zone?: string; after: string; want: (string | undefined)[] }[] = [
  { schedule: '0/1 * * * *', after: '2026-01-01T00:00:30Z', want: ['2026-01-01T00:01:00Z', '2026-01-01T00:02:00Z'] },
  {
    schedule: '30 2 * * *',
    zone: 'America/New_York',
    after: '2027-03-13T12:00:00Z',
    want: ['2027-03-15T06:30:00Z', '2027-03-16T06:30:00Z'],
  },
  {
    schedule: '30 1 * * *',
    zone: 'America/New_York',
    after: '2027-11-06T12:00:00Z',
    want: ['2027-11-07T05:30:00Z', '2027-11-07T06:30:00Z', '2027-11-08T06:30:00Z'],
  },
  { schedule: '0 9 * * *', zone: 'Europe/Paris', after: '2026-07-01T00:00:00Z', want: ['2026-07-01T07:00:00Z'] },
  { schedule: '0 0 13 * 5', after: '2026-01-01T00:00:00Z', want: ['2026-01-02T00:00:00Z', '2026-01-09T00:00:00Z', '2026-01-13T00:00:00Z'] },
  { schedule: '0 0 */2 * 5', after: '2026-01-01T00:00:00Z', want: ['2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z'] },
  { schedule: '0 0 ? * 5', after: '2026-01-01T00:00:00Z', want: ['2026-01-02T00:00:00Z', '2026-01-09T00:00:00Z'] },
  {
    schedule: '30 2 * * *',
    zone: 'Australia/Lord_Howe',
    after: '2026-04-04T00:00:00Z',
    want: ['2026-04-04T16:00:00Z', '2026-04-05T16:00:00Z', '2026-04-06T16:00:00Z'],
  },
  {
    schedule: '15 2 * * *',
    zone: 'Australia/Lord_Howe',
    after: '2026-10-03T00:00:00Z',
    want: ['2026-10-04T15:15:00Z', '2026-10-05T15:15:00Z'],
  },
  {
    schedule: '0 0 * * *',
    zone: 'America/Sao_Paulo',
    after: '2018-11-03T12:00:00Z',
    want: ['2018-11-05T02:00:00Z', '2018-11-06T02:00:00Z'],
  },
  { schedule: '0 5 3 11 *', zone: 'America/Sao_Paulo', after: '2018-11-03T09:00:00Z', want: ['2018-11-04T07:00:00Z'] },
  { schedule: '0 0 * * *', zone: 'Asia/Beirut', after: '2026-03-28T12:00:00Z', want: ['2026-03-29T21:00:00Z', '2026-03-30T21:00:00Z'] },
  { schedule: '0 0 31 2 *', after: '2026-01-01T00:00:00Z', want: [undefined] },
  { schedule: '0 0 29 2 *', after: '2096-03-01T00:00:00Z', want: [undefined] },
  { schedule: '0 0 29 2 *', after: '2026-01-01T00:00:00Z', want: ['2028-02-29T00:00:00Z', '2032-02-29T00:00:00Z'] },
  { schedule: ',  * * * *', after: '2026-01-01T00:00:00Z', want: [undefined] },
  { schedule: '59/7 23 31 12 sat', after: '2026-01-01T00:00:00Z', want: ['2026-12-05T23:59:00Z', '2026-12-12T23:59:00Z'] },
  { schedule: '0 0 1 jan,JUL *', after: '2026-01-01T00:00:00Z', want: ['2026-07-01T00:00:00Z', '2027-01-01T00:00:00Z'] },
  {
    schedule: '0 12 * * mon-fri/2',
    after: '2026-01-01T00:00:00Z',
    want: ['2026-01-02T12:00:00Z', '2026-01-05T12:00:00Z', '2026-01-07T12:00:00Z'],
  },
  { schedule: '@every 1h30m', after: '2026-01-01T00:00:00Z', want: ['2026-01-01T01:30:00Z', '2026-01-01T03:00:00Z'] },
  { schedule: '@every 1500ms', after: '2026-01-01T00:00:00Z', want: ['2026-01-01T00:00:01Z', '2026-01-01T00:00:02Z'] },
  { schedule: '@every -1m', after: '2026-01-01T00:00:00Z', want: ['2026-01-01T00:00:01Z', '2026-01-01T00:00:02Z'] },
  { schedule: '@weekly', after: '2026-01-01T00:00:00Z', want: ['2026-01-04T00:00:00Z', '2026-01-11T00:00:00Z'] },
  { schedule: '@yearly', zone: 'Asia/Tokyo', after: '2026-01-01T00:00:00Z', want: ['2026-12-31T15:00:00Z'] },
  { schedule: 'TZ=Asia/Tokyo 0 9 * * *', after: '2026-01-01T00:00:01Z', want: ['2026-01-02T00:00:00Z'] },
  { schedule: 'CRON_TZ= 0 9 * * *', after: '2026-01-01T00:00:01Z', want: ['2026-01-01T09:00:00Z'] },
  { schedule: '007 +5 * * *', after: '2026-01-01T00:00:00Z', want: ['2026-01-01T05:07:00Z'] },
];
for (const { schedule, zone = 'UTC', after, want } of times) {
  test(`times: ${schedule} ${zone}`, () => {
    const parsed = parseCron(schedule, TimeZone.find(zone));
    const found: (string | undefined)[] = [];
    for (let at: number | undefined = ms(after); at !== undefined && found.length < want.length; ) {
      at = parsed.next(at);
      found.push(text(at));
    }
    assert.deepEqual(found, want);
  });
}

const errors: { schedule: string; error: string }[] = [
  { schedule: '0 30-31 * * *', error: 'end of range (31) above maximum (23): 30-31' },
  { schedule: 'TZ=UTC', error: 'invalid schedule format: runtime error: slice bounds out of range [:-1]' },
  { schedule: 'TZ=europe/paris 0 0 * * *', error: 'provided bad location europe/paris: unknown time zone europe/paris' },
  { schedule: 'TZ=../x 0 0 * * *', error: 'provided bad location ../x: time: invalid location name' },
  { schedule: 'TZ=UTC TZ=UTC 1 1 1', error: 'expected exactly 5 fields, found 4: [TZ=UTC 1 1 1]' },
  { schedule: 'TZ=UTC ', error: 'expected exactly 5 fields, found 0: []' },
  { schedule: '-1 * * * *', error: 'failed to parse int from : strconv.Atoi: parsing "": invalid syntax' },
  {
    schedule: '99999999999999999999 * * * *',
    error: 'failed to parse int from 99999999999999999999: strconv.Atoi: parsing "99999999999999999999": value out of range',
  },
  { schedule: '9223372036854775807 * * * *', error: 'end of range (9223372036854775807) above maximum (59): 9223372036854775807' },
  { schedule: '5-3 * * * *', error: 'beginning of range (5) beyond end of range (3): 5-3' },
  { schedule: '1-2-3 * * * *', error: 'too many hyphens: 1-2-3' },
  { schedule: '1/2/3 * * * *', error: 'too many slashes: 1/2/3' },
  { schedule: '*/0 * * * *', error: 'step of range should be a positive number: */0' },
  { schedule: '0 0 0 * *', error: 'beginning of range (0) below minimum (1): 0' },
  { schedule: '0 0 * 13 *', error: 'end of range (13) above maximum (12): 13' },
  { schedule: '0 0 * * 7', error: 'end of range (7) above maximum (6): 7' },
  { schedule: '0 0 * foo *', error: 'failed to parse int from foo: strconv.Atoi: parsing "foo": invalid syntax' },
  { schedule: '@every 5', error: 'failed to parse duration @every 5: time: missing unit in duration "5"' },
  { schedule: '@reboot', error: 'unrecognized descriptor: @reboot' },
  { schedule: '0 0 * * * *', error: 'expected exactly 5 fields, found 6: [0 0 * * * *]' },
  { schedule: '', error: 'empty spec string' },
  { schedule: `${'1,'.repeat(2048)}1 * * * *`, error: 'must be no more than 4096 characters' },
  { schedule: '* * * * L', error: 'failed to parse int from L: strconv.Atoi: parsing "L": invalid syntax' },
  { schedule: '0 0 W * *', error: 'failed to parse int from W: strconv.Atoi: parsing "W": invalid syntax' },
  { schedule: '0 0 * * 5#3', error: 'failed to parse int from 5#3: strconv.Atoi: parsing "5#3": invalid syntax' },
  { schedule: '@every 1d', error: 'failed to parse duration @every 1d: time: unknown unit "d" in duration "1d"' },
  { schedule: '@every 999999999h', error: 'failed to parse duration @every 999999999h: time: invalid duration "999999999h"' },
  { schedule: '@every ', error: 'failed to parse duration @every : time: invalid duration ""' },
];
for (const { schedule, error } of errors) {
  test(`refused: ${JSON.stringify(schedule)}`, () => assert.throws(() => parseCron(schedule), new CronError(error)));
}

const last: { name: string; schedule: string; after: string; until: string; want: string | undefined }[] = [
  { name: 'not one', schedule: '0 0 * * *', after: '2026-01-01T00:00:00Z', until: '2026-01-01T23:59:59Z', want: undefined },
  {
    name: 'the very end',
    schedule: '0 0 * * *',
    after: '2026-01-01T00:00:00Z',
    until: '2026-01-02T00:00:00Z',
    want: '2026-01-02T00:00:00Z',
  },
  {
    name: 'of a month of minutes',
    schedule: '* * * 1 *',
    after: '2024-06-01T00:00:00Z',
    until: '2026-05-01T00:00:00Z',
    want: '2026-01-31T23:59:00Z',
  },
  {
    name: 'periods count from their start',
    schedule: '@every 7m',
    after: '2026-01-01T00:00:00Z',
    until: '2026-01-01T01:00:00Z',
    want: '2026-01-01T00:56:00Z',
  },
  { name: 'no whole period', schedule: '@every 7m', after: '2026-01-01T00:00:00Z', until: '2026-01-01T00:06:59Z', want: undefined },
];
for (const { name, schedule, after, until, want } of last) {
  test(`last: ${name}`, () => assert.equal(text(parseCron(schedule).last(ms(after), ms(until))), want));
}

test('a time in its zone', () => {
  assert.equal(TimeZone.find('Europe/Paris')?.format(ms('2026-07-01T07:00:00Z')), '2026-07-01T09:00:00+02:00');
  assert.equal(TimeZone.find('America/St_Johns')?.format(ms('2026-01-01T00:00:00Z')), '2025-12-31T20:30:00-03:30');
  assert.equal(TimeZone.utc.format(ms('2026-07-01T07:00:00Z')), '2026-07-01T07:00:00Z');
});

test('zones are known by their very names', () => {
  const found = [
    'US/Eastern',
    'EST5EDT',
    'Etc/GMT+5',
    'Asia/Calcutta',
    'Factory',
    'europe/paris',
    'PST',
    '+01:00',
    'Local',
    '',
    'constructor',
  ];
  assert.deepEqual(
    found.map((name) => TimeZone.find(name) !== undefined),
    [true, true, true, true, true, false, false, false, false, false, false],
  );
});
