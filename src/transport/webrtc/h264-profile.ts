/** The `profile-level-id` of RFC 6184, such as `42c01f`, from the SPS of a key frame; undefined when it has none. */
export function profileLevelId(keyFrame: Buffer): string | undefined {
  for (let at = keyFrame.indexOf(START_CODE); at >= 0; at = keyFrame.indexOf(START_CODE, at + 3)) {
    const isSps = ((keyFrame[at + 3] ?? 0) & 0x1f) === 7;
    if (isSps && at + 7 <= keyFrame.length) return keyFrame.toString('hex', at + 4, at + 7);
  }
  return undefined;
}

/**
 * Which profile an id names, whatever its level: the names of RFC 6184, table 5. Several ids name one profile, so
 * they cannot be compared as they are.
 */
export function profileOf(id: string): string {
  const [idc = 0, flags = 0] = Buffer.from(id, 'hex');
  const set = (bit: number): boolean => (flags & (0x80 >> bit)) !== 0;
  if (idc === 66) return set(1) ? 'constrained baseline' : 'baseline';
  if (idc === 77) return set(0) ? 'constrained baseline' : 'main';
  if (idc === 88) return set(1) ? (set(0) ? 'constrained baseline' : 'extended') : 'extended';
  return `profile ${idc}`;
}

const START_CODE = Buffer.from([0, 0, 1]);
