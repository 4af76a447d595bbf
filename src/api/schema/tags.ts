/**
 * Upstream's declarative validation: the `+k8s:` tags of its Go types and their fields, as data/validation-tags.json has
 * them, taken apart. tag-rules.ts makes rules of them, validate.ts lays those over the type table.
 *
 * Upstream enforces what stands alone or is `beta`. What is `alpha` says what it checks by hand: a kind's rules say that
 * in upstream's words, and where they say nothing, the tag counts. So a later release is a later table: a tag that is
 * new to this file says nothing (tags.test.ts has those of today, with the reason).
 * Upstream: apiserver/pkg/registry/rest/validate.go, code-generator/cmd/validation-gen.
 */
import table from '../data/validation-tags.json' with { type: 'json' };
import { own } from '../meta/words.ts';

export interface Tag {
  /** `maxItems` */
  readonly name: string;
  /** what is in its parentheses: of `ifEnabled("F")` it is F */
  readonly of: string;
  /** of `maxItems=8` it is 8 */
  readonly value: string;
  /** the tag that is its value: `ifEnabled("F")=+k8s:immutable` */
  readonly inner: Tag | undefined;
}

/** Of one type: by field, and of the type itself under ''. */
export type TypeTags = Readonly<Record<string, readonly Tag[]>>;
/** By type (`resource/v1.Device`) and field, as they are written. */
export type TagTable = Readonly<Record<string, Readonly<Record<string, readonly string[] | undefined>>>>;

const unquoted = (text: string): string => text.trim().replace(/^"(.*)"$/, '$1');

/** Throws for what is no tag. */
export function parseTag(text: string): Tag {
  const parts = /^\+k8s:([\w-]+)(?:\(([^)]*)\))?(?:=(.*))?/.exec(text);
  if (!parts) throw new Error(`no tag: ${text}`);
  const [, name = '', of = '', value = ''] = parts;
  if (value.startsWith('+k8s:')) return { name, of: unquoted(of), value: '', inner: parseTag(value) };
  return { name, of: unquoted(of), value: unquoted(value.replace(/ (?:#|\/\/).*/, '')), inner: undefined };
}

/** What it comes down to; undefined: it is for a feature that is on. Those that it is asked of are off by default, and here. */
function settle(tag: Tag): Tag | undefined {
  if (tag.name === 'alpha' || tag.name === 'beta' || tag.name === 'ifDisabled') return tag.inner && settle(tag.inner);
  return tag.name === 'ifEnabled' ? undefined : tag;
}

/** Types of which the kinds judge another form than the one that is served, and name its fields. */
const judgedElsewhere = /^io\.k8s\.api\.(?:resource\.v1beta1|autoscaling\.v1)\./;

const textsOf = (typeName: string, given: TagTable): TagTable[string] =>
  (judgedElsewhere.test(typeName) ? undefined : own(given, typeName.replace(/^io\.k8s\.api\.(\w+)\.(\w+)\./, '$1/$2.'))) ?? {};

/** Whether upstream has nothing but tags for the type: then it asks its fields in their own order. */
export const isDeclared = (typeName: string): boolean => {
  const texts = Object.values(textsOf(typeName, table)).flatMap((those = []) => those);
  return texts.length > 0 && !texts.some((text) => text.startsWith('+k8s:alpha'));
};

/** The tags of a type of the type table. Those of one field are in the order in which upstream asks them: by name. */
export function tagsOf(typeName: string, given: TagTable = table): TypeTags {
  const read = Object.entries(textsOf(typeName, given)).map(([field, texts = []]) => {
    const tags = texts.flatMap((text) => settle(parseTag(text)) ?? []);
    return [field, tags.toSorted((a, b) => Number(a.name > b.name) - Number(a.name < b.name))] as const;
  });
  return Object.fromEntries(read);
}
