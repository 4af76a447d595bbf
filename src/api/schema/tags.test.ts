import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isRead, rulesOfTags, stopsOf } from './tag-rules.ts';
import { parseTag, type Tag, type TagTable, tagsOf } from './tags.ts';
import { typeNames, typeSchema } from './types.ts';

const tableAt = (path: string): TagTable => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as TagTable;
const table = tableAt('../data/validation-tags.json');
const later = tableAt('../../../test/kit/data/validation-tags-1.37.2.json');

const textsOf = (given: TagTable): readonly string[] =>
  Object.values(given).flatMap((fields) => Object.values(fields).flatMap((texts = []) => texts));

/** What is inside of what says when it counts. */
function essence(tag: Tag): Tag {
  const isCondition = ['alpha', 'beta', 'ifEnabled', 'ifDisabled'].includes(tag.name);
  return isCondition && tag.inner ? essence(tag.inner) : tag;
}

/** Tags of which nothing is made here, and why. */
const notRead: Readonly<Record<string, string>> = {
  enum: 'the type table has the words of each field',
  subfield: 'all of them are about metadata.name: schema/metadata.ts',
  customUnique: 'takes the uniqueness of a list away, which is then said by a rule of the kind',
  discriminator: 'kinds/flowcontrol/priority-level-configuration.ts says what goes with what',
  member: 'the same',
  item: 'kinds/certificates/certificate-signing-request.ts: approved or denied',
  deprecated: 'no rule',
};

const rows: readonly { text: string; want: Tag }[] = [
  { text: '+k8s:required', want: { name: 'required', of: '', value: '', inner: undefined } },
  { text: '+k8s:format="k8s-uuid"', want: { name: 'format', of: '', value: 'k8s-uuid', inner: undefined } },
  {
    text: '+k8s:ifEnabled("F")=+k8s:maximum=9 # a reason',
    want: { name: 'ifEnabled', of: 'F', value: '', inner: { name: 'maximum', of: '', value: '9', inner: undefined } },
  },
  {
    text: '+k8s:subfield(name)=+k8s:optional',
    want: { name: 'subfield', of: 'name', value: '', inner: { name: 'optional', of: '', value: '', inner: undefined } },
  },
];

test('a tag taken apart', () => {
  for (const { text, want } of rows) assert.deepEqual(parseTag(text), want);
  assert.throws(() => parseTag('+optional'), /no tag/);
});

test('every tag is read, or there is a reason', () => {
  const texts = textsOf(table);
  assert.equal(texts.length, 756);
  const unread = texts.map((text) => essence(parseTag(text))).filter((tag) => !isRead(tag));
  assert.deepEqual([...new Set(unread.map(({ name }) => name))].toSorted(), Object.keys(notRead).toSorted());
});

test('every tag that is enforced is read: only words and reasons are left', () => {
  const enforced = textsOf(table).filter((text) => !text.startsWith('+k8s:alpha'));
  const unread = enforced.map((text) => essence(parseTag(text)).name).filter((name) => !isRead({ name } as Tag));
  assert.deepEqual([...new Set(unread)].toSorted(), ['deprecated', 'enum']);
});

test('the table of a later release needs no code', () => {
  assert.equal(textsOf(later).length, 1465);
  for (const name of typeNames()) {
    const schema = typeSchema(name);
    if (schema.type !== 'object') continue;
    const tags = tagsOf(name, later);
    for (const field of schema.fields.values()) {
      stopsOf(field, tags[field.name] ?? []);
      rulesOfTags(tags[field.name] ?? []);
    }
  }
});
