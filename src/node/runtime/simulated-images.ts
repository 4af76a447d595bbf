/** The images of one simulated node: whatever is asked for can be pulled at once, but for the registries that are there to fail. */
import { createHash } from 'node:crypto';
import { RuntimeError } from './container-runtime.ts';
import type * as cri from './cri-types.ts';
import { imageRepository, normalizeImageName } from './image-name.ts';
import { failingRegistries } from './simulation-script.ts';

export const imageSizeBytes = 16 * 2 ** 20;

export class SimulatedImages {
  readonly #images = new Map<string, cri.Image>();

  list(): readonly cri.Image[] {
    return [...this.#images.values()];
  }

  /** By name, short name or id. */
  find(image: string): cri.Image | undefined {
    return this.#images.get(normalizeImageName(image)) ?? this.list().find(({ id }) => id === image);
  }

  pull(image: string): cri.Image {
    for (const [registry, { code, message }] of Object.entries(failingRegistries))
      if (image.startsWith(registry)) throw new RuntimeError(code, `failed to pull and unpack image "${image}": ${message}`);
    const name = normalizeImageName(image);
    const known = this.#images.get(name);
    if (known) return known;
    const id = `sha256:${createHash('sha256').update(name).digest('hex')}`;
    const pulled: cri.Image = {
      id,
      repoTags: name.includes('@') ? [] : [name],
      repoDigests: [`${imageRepository(name)}@${id}`],
      size: imageSizeBytes,
      username: '',
      spec: { image: name },
      pinned: false,
    };
    this.#images.set(name, pulled);
    return pulled;
  }

  remove(image: string): void {
    for (const [name, { id }] of this.#images) if (id === image || name === normalizeImageName(image)) this.#images.delete(name);
  }
}
