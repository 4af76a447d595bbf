/**
 * Names of images in full, as the runtime stores them: `nginx` is `docker.io/library/nginx:latest`.
 * Upstream: distribution/reference normalize.go.
 */

/** What is a name of an image, and the parts of it. Upstream: distribution/reference regexp.go. */
export const imageName =
  /^(?<name>(?:[a-zA-Z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+|\/)[a-z0-9]+)*)(?<tag>:[\w][\w.-]{0,127})?(?<digest>@[a-z0-9]+:[0-9a-f]{32,})?$/;
export const isImageName = (word: string): boolean => imageName.test(word);

/** With registry, and with a tag unless there is a digest. */
export function normalizeImageName(image: string): string {
  const [first = '', ...rest] = image.split('/');
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const path = hasRegistry ? image : rest.length > 0 ? `docker.io/${image}` : `docker.io/library/${image}`;
  return path.includes('@') || /:[^/]+$/.test(path) ? path : `${path}:latest`;
}

/** Without tag and digest. */
export function imageRepository(image: string): string {
  const [repository = image] = image.split(/@|:(?=[^/]*$)/);
  return repository;
}
