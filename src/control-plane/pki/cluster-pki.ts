/**
 * Everything secret of one cluster, made on first use and kept as PEM files: the cluster authority (ca), the front
 * proxy's authority (front-proxy-ca), the service account key (sa), and
 * any number of leaf certificates by name. File names are kubeadm's.
 *
 * Guarantees: what is on disk and still good is used as it is, without importing the X.509 library; a leaf whose
 * subject, names or authority changed, or with less than a third of its life left, is made anew, as is one that is damaged; a damaged authority or service
 * account key is refused by name; files are 0600. A leaf that a full disk has no room for is used all the same.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDiskFull, replaceFile } from '../../client/files/replace-file.ts';
import {
  type Authority,
  type AuthorityOptions,
  type CertificateSpec,
  createAuthority,
  extendAuthority,
  type KeyedCertificate,
  loadAuthority,
  publicKeyPem,
} from './authority.ts';
import { staleReason } from './certificate.ts';
import { createServiceAccountKeyPem, loadServiceAccountKeys, type ServiceAccountKeys } from './service-account-key.ts';
import { hasOwnTime } from './validity.ts';

/** Where PEM texts are kept: a directory, or memory for clusters that live in a test. */
export interface PEMFiles {
  /** for messages: where `name` is */
  path(name: string): string;
  read(name: string): string | undefined;
  write(name: string, text: string): void;
}

export interface ClusterPKI {
  readonly authority: Authority;
  readonly serviceAccountKeys: ServiceAccountKeys;
  /** The stored certificate of this name when it still fits `spec`, else a new one. */
  certificate(name: string, spec: CertificateSpec): Promise<KeyedCertificate>;
  /** The authority of the client certificate that the server shows to aggregated API servers. */
  frontProxyAuthority(): Promise<Authority>;
}

export async function openClusterPKI(options: AuthorityOptions & { readonly files: PEMFiles }): Promise<ClusterPKI> {
  const { files } = options;
  const authority = await openAuthority(files, options, { name: 'ca', commonName: 'kubernetes' });
  let frontProxy: Promise<Authority> | undefined;
  return {
    authority,
    serviceAccountKeys: openServiceAccountKeys(files, options.seed),
    frontProxyAuthority() {
      frontProxy ??= openAuthority(files, options, { name: 'front-proxy-ca', commonName: 'front-proxy-ca' });
      return frontProxy;
    },
    async certificate(name, spec) {
      const stored = readPair(files, name);
      if (stored && !staleReason(stored, { spec, authorityPem: authority.certPem, clocks: options })) return stored;
      const made = await authority.issue(spec);
      try {
        return writePair(files, name, made);
      } catch (error) {
        if (!isDiskFull(error)) throw error;
        return made; // it serves as well; the next start makes another
      }
    },
  };
}

/** Throws `DamagedKeyError`, as opening does; makes nothing. */
export function checkKeys(files: Pick<PEMFiles, 'read' | 'path'>): void {
  for (const name of ['ca', 'front-proxy-ca']) readAuthority(files, name);
  const key = files.read('sa.key');
  if (key !== undefined) readServiceAccountKeys(files, key, false);
}

/** A file that nothing but a copy can replace is not what it was. It is left as it is. */
export class DamagedKeyError extends Error {
  override readonly name = 'DamagedKeyError';
  readonly code = 'key-damaged';
  readonly fix: string;
  constructor(message: string, fix: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.fix = fix;
  }
}

const authorityFix = 'put it back from a copy; without one: timonier delete, and begin anew, as nothing would trust another authority';
const serviceAccountFix = 'put it back from a copy, or remove it: then pods get tokens of a new key';

async function openAuthority(files: PEMFiles, options: AuthorityOptions, wanted: { name: string; commonName: string }): Promise<Authority> {
  const stored = readAuthority(files, wanted.name);
  // What was made for real time is kept as it is, whatever clock this cluster has.
  if (stored) return loadAuthority(hasOwnTime(options) ? await extendAuthority(stored, options) : stored, options);
  const made = await createAuthority({ ...options, commonName: wanted.commonName });
  writePair(files, wanted.name, made);
  return made;
}

function readAuthority(files: Pick<PEMFiles, 'read' | 'path'>, name: string): KeyedCertificate | undefined {
  const [certPath, keyPath] = [files.path(`${name}.crt`), files.path(`${name}.key`)];
  const [certPem, keyPem] = [files.read(`${name}.crt`), files.read(`${name}.key`)];
  if (certPem === undefined && keyPem === undefined) return undefined;
  if (certPem === undefined) throw new DamagedKeyError(`${certPath} is gone, and its key is there`, authorityFix);
  if (keyPem === undefined) throw new DamagedKeyError(`${keyPath} is gone, and its certificate is there`, authorityFix);
  const certificate = orDamaged(() => new X509Certificate(certPem), `${certPath} is damaged: it is no certificate`, authorityFix);
  const key = orDamaged(() => createPrivateKey(keyPem), `${keyPath} is damaged: it is no private key`, authorityFix);
  if (!certificate.checkPrivateKey(key)) throw new DamagedKeyError(`${keyPath} is not the key of ${certPath}`, authorityFix);
  return { certPem, keyPem };
}

function orDamaged<T>(read: () => T, message: string, fix: string): T {
  try {
    return read();
  } catch (cause) {
    throw new DamagedKeyError(message, fix, cause);
  }
}

function openServiceAccountKeys(files: PEMFiles, seed: number | undefined): ServiceAccountKeys {
  let key = files.read('sa.key');
  if (key === undefined) {
    key = createServiceAccountKeyPem(seed);
    files.write('sa.key', key);
    files.write('sa.pub', publicKeyPem(key));
  }
  return readServiceAccountKeys(files, key, seed !== undefined);
}

function readServiceAccountKeys(files: Pick<PEMFiles, 'path'>, pem: string, isSeeded: boolean): ServiceAccountKeys {
  return orDamaged(
    () => loadServiceAccountKeys(pem, { isSeeded }),
    `${files.path('sa.key')} is damaged: it is no private key`,
    serviceAccountFix,
  );
}

function readPair(files: PEMFiles, name: string): KeyedCertificate | undefined {
  const certPem = files.read(`${name}.crt`);
  const keyPem = files.read(`${name}.key`);
  return certPem !== undefined && keyPem !== undefined ? { certPem, keyPem } : undefined;
}

function writePair(files: PEMFiles, name: string, pair: KeyedCertificate): KeyedCertificate {
  files.write(`${name}.key`, pair.keyPem);
  files.write(`${name}.crt`, pair.certPem);
  return { certPem: pair.certPem, keyPem: pair.keyPem };
}

/** The directory is made when the first one is written. */
export function directoryFiles(directory: string): PEMFiles {
  return {
    path: (name) => join(directory, name),
    read(name) {
      try {
        return readFileSync(join(directory, name), 'utf8');
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
        throw error;
      }
    },
    write(name, text) {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      replaceFile(join(directory, name), text, { flush: true, temporary: join(directory, `.${name}.new`) });
    },
  };
}

export function memoryFiles(): PEMFiles {
  const texts = new Map<string, string>();
  return { path: (name) => name, read: (name) => texts.get(name), write: (name, text) => texts.set(name, text) };
}
