/**
 * Which pull policy an image reference implies: `Always` for the tag `latest`, written or implied, else `IfNotPresent`.
 * A reference that can't be parsed has no tag. Upstream: pkg/util/parsers, distribution/reference.
 */
const reference =
  /^(?:(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::([\w][\w.-]{0,127}))?(@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$/;

/** Longer than any name, tag and digest together: upstream takes 255 characters of a name. */
const referenceCharactersMax = 1024;

export function pullPolicyOf(image: string | undefined): 'Always' | 'IfNotPresent' {
  const match = image && image.length <= referenceCharactersMax ? reference.exec(image) : null;
  if (!match) return 'IfNotPresent';
  const [, tag, digest] = match;
  return tag === 'latest' || (tag === undefined && digest === undefined) ? 'Always' : 'IfNotPresent';
}
