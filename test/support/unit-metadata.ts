import { type FrameMetadata, parseSeiPayload } from '../../src/core/index.js';
import { addon } from '../../src/native/index.js';

/** What the SEI message of an access unit says; throws when it has none. */
export function metadataOf(accessUnit: Buffer): FrameMetadata {
  const payload = addon().findSei(accessUnit);
  const metadata = payload && parseSeiPayload(payload);
  if (!metadata) throw new Error('the access unit carries no metadata');
  return metadata;
}
