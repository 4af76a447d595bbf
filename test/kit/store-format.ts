/** The format that a closed LMDB store says it has; and a change of it. */
import { open } from 'lmdb';
import { mapBytes, pageBytes } from '../../src/control-plane/store/store-file.ts';

export async function storeFormat(path: string, change?: string): Promise<string | undefined> {
  // as the store itself opens it: else the file would be another one afterwards
  const root = open<Buffer, string>({
    path,
    noSubdir: false,
    encoding: 'binary',
    pageSize: pageBytes,
    mapSize: mapBytes,
    overlappingSync: false,
  });
  const meta = root.openDB<Buffer, string>({ name: 'meta', encoding: 'binary' });
  if (change !== undefined) meta.putSync('format', Buffer.from(change));
  const format = meta.get('format')?.toString();
  await root.close();
  return format;
}
