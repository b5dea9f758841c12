import { generateKeyPair, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { CapError } from '../core/index.js';
import type { TlsIdentity } from './tls-identity.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const VALID_DAYS = 5 * 365;
/** One that ends sooner is made anew. */
const RENEW_DAYS = 30;

/** Where the certificate is kept: `$XDG_STATE_HOME/cap/tls`, by default `~/.local/state/cap/tls`. */
function tlsFolder({ XDG_STATE_HOME, HOME }: NodeJS.ProcessEnv): string {
  const given = XDG_STATE_HOME && isAbsolute(XDG_STATE_HOME);
  const base = given ? XDG_STATE_HOME : join(HOME ?? homedir(), '.local', 'state');
  return join(base, 'cap', 'tls');
}

/**
 * This machine's own certificate, for `localhost`, 127.0.0.1, ::1 and the host's name. It is made when there is
 * none yet and kept, so that clients can pin it.
 * @throws CAP_OUTPUT_FAILED when it cannot be kept
 */
export async function selfSignedIdentity(folder = tlsFolder(process.env)): Promise<TlsIdentity> {
  const path = join(folder, 'self-signed.pem');
  const kept = await readFile(path, 'utf8').catch(() => undefined);
  const usable = kept === undefined ? undefined : split(kept);
  if (usable && isGood(usable.certificate)) return usable;
  const made = await makeIdentity(hostname());
  await keep(folder, path, made);
  return made;
}

/** One file with both, which is renamed into place: no two processes can mix theirs. */
async function keep(folder: string, path: string, { certificate, key }: TlsIdentity): Promise<void> {
  const draft = `${path}.${process.pid}`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(draft, certificate + key, { mode: 0o600 });
    await rename(draft, path);
  } catch (cause) {
    throw new CapError(
      'CAP_OUTPUT_FAILED',
      `cannot keep the TLS certificate in ${folder}: ${(cause as Error).message}`,
      {
        hint: 'set XDG_STATE_HOME, or give a certificate with --tls-cert and --tls-key',
        cause,
      },
    );
  }
}

const split = (text: string): TlsIdentity | undefined => {
  const [certificate = '', key = ''] = text.split(/^(?=-----BEGIN (?:RSA )?PRIVATE KEY-----$)/m);
  return key === '' ? undefined : { certificate, key };
};

function isGood(certificate: string): boolean {
  try {
    const parsed = new X509Certificate(certificate);
    const leftMs = new Date(parsed.validTo).getTime() - Date.now();
    return leftMs > RENEW_DAYS * DAY_MS && parsed.checkHost(hostname()) !== undefined;
  } catch {
    return false;
  }
}

async function makeIdentity(host: string): Promise<TlsIdentity> {
  // Loaded only here: a certificate is made once in years. The key comes from OpenSSL.
  const { default: forge } = await import('node-forge');
  const { pki, md, random, util } = forge;
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const signingKey = pki.privateKeyFromPem(key);
  const certificate = pki.createCertificate();
  certificate.publicKey = pki.setRsaPublicKey(signingKey.n, signingKey.e);
  // A positive number in its shortest form, as DER wants it: the first byte is neither zero nor over 0x7f.
  certificate.serialNumber = `01${util.bytesToHex(random.getBytesSync(15))}`;
  // A day back, for clients whose clocks are behind.
  certificate.validity.notBefore = new Date(Date.now() - DAY_MS);
  certificate.validity.notAfter = new Date(Date.now() + VALID_DAYS * DAY_MS);
  const name = [{ name: 'commonName', value: host }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  const [DNS, IP] = [2, 7];
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    {
      name: 'subjectAltName',
      altNames: [
        ...[...new Set(['localhost', host])].map((value) => ({ type: DNS, value })),
        ...['127.0.0.1', '::1'].map((ip) => ({ type: IP, ip })),
      ],
    },
  ]);
  certificate.sign(signingKey, md.sha256.create());
  return { certificate: pki.certificateToPem(certificate).replaceAll('\r', ''), key };
}
