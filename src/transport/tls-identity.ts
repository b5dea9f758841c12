import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { CapError, type Logger, silentLogger } from '../core/index.js';

/** What a TLS server shows and proves. */
export interface TlsIdentity {
  /** PEM: the certificate, then those that lead to its authority. */
  readonly certificate: string;
  /** PEM, not encrypted. */
  readonly key: string;
}

/** SHA-256 of a certificate, as clients pin it: `sha256:` and 64 hexadecimal digits. */
export function fingerprintOf({ certificate }: Pick<TlsIdentity, 'certificate'>): string {
  return `sha256:${new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase()}`;
}

/** Reads a certificate and its key. Warns when the key is open to others. @throws CAP_USAGE */
export async function readTlsIdentity(
  certificateFile: string,
  keyFile: string,
  logger: Logger = silentLogger,
): Promise<TlsIdentity> {
  const [certificate, key] = await Promise.all([read('certificate', certificateFile), read('key', keyFile)]);
  const parsed = parse('certificate', certificateFile, () => new X509Certificate(certificate));
  const secret = parse('key', keyFile, () => createPrivateKey(key));
  if (!parsed.checkPrivateKey(secret)) {
    throw new CapError('CAP_USAGE', `the key in ${keyFile} is not that of the certificate in ${certificateFile}`);
  }
  if (new Date(parsed.validTo).getTime() < Date.now()) {
    logger.warn(`the certificate in ${certificateFile} expired on ${parsed.validTo}`);
  }
  if (((await stat(keyFile)).mode & 0o077) !== 0) {
    logger.warn(`the key in ${keyFile} can be read by others: chmod 600 ${keyFile}`);
  }
  return { certificate, key };
}

async function read(what: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : 'not readable';
    throw new CapError('CAP_USAGE', `cannot read the TLS ${what} ${path}: ${reason}`, { cause: error });
  }
}

/** OpenSSL's texts name functions, and may quote what they were given. */
function parse<T>(what: string, path: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw new CapError('CAP_USAGE', `${path} holds no TLS ${what} in PEM format`, {
      ...(what === 'key' ? { hint: 'a key with a password cannot be used' } : {}),
    });
  }
}
