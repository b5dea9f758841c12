import { readFileSync } from 'node:fs';
import { CapError, unexpected } from '../core/index.js';
import { type NativePipeline, native } from './addon.js';

/** Which certificate a server may show, beside those that the system trusts. At most one of these. */
export interface TlsTrust {
  /** SHA-256 of the one certificate that is taken: `sha256:` and 64 hexadecimal digits, colons allowed. */
  readonly fingerprint?: string | undefined;
  /** PEM file of authorities. The certificate must be for the server's name. */
  readonly caFile?: string | undefined;
  /** Takes any certificate: whoever sits in between can read along. @default false */
  readonly insecure?: boolean | undefined;
}

/** Checks the options. @throws CAP_USAGE */
export function expectTlsTrust(trust: TlsTrust): TlsTrust {
  const { fingerprint, caFile, insecure } = trust;
  if ([fingerprint !== undefined, caFile !== undefined, insecure === true].filter(Boolean).length > 1) {
    throw new CapError('CAP_USAGE', 'a fingerprint, an authority and trusting anything exclude each other');
  }
  if (fingerprint !== undefined) digits(fingerprint);
  if (caFile !== undefined) expectPem(caFile);
  return trust;
}

/** Applies it to an rtspsrc that has not been started. */
export function applyTlsTrust(pipeline: NativePipeline, element: string, trust: TlsTrust): void {
  const { fingerprint, caFile, insecure } = trust;
  native((addon) => {
    if (insecure) pipeline.setProperty(element, 'tls-validation-flags', '0');
    else if (fingerprint !== undefined) addon.trustTls(pipeline, element, 'fingerprint', digits(fingerprint));
    else if (caFile !== undefined) addon.trustTls(pipeline, element, 'ca', caFile);
    else addon.trustTls(pipeline, element, 'system', '');
  });
}

function digits(fingerprint: string): string {
  const hex = fingerprint
    .replace(/^sha256:/i, '')
    .replaceAll(':', '')
    .toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(hex)) {
    throw unexpected('the TLS fingerprint', 'sha256: and 64 hexadecimal digits', fingerprint);
  }
  return hex;
}

function expectPem(path: string): void {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CapError('CAP_USAGE', `cannot read the TLS authorities in ${path}`, { cause });
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new CapError('CAP_USAGE', `${path} holds no certificate in PEM format`);
  }
}
