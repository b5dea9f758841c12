import { type ScreenOptions, screenSource } from './screen-source.js';
import { type TestOptions, testSource } from './test-source.js';
import type { VideoSource } from './video-source.js';

/** Which source, by kind, with that kind's options. */
export type SourceOptions = ({ readonly kind: 'screen' } & ScreenOptions) | ({ readonly kind: 'test' } & TestOptions);

type Openers = { [Kind in SourceOptions['kind']]: (options: Extract<SourceOptions, { kind: Kind }>) => VideoSource };

/** Every kind of source: the one place to add another. */
const SOURCES: Openers = {
  screen: screenSource,
  test: testSource,
};

/** The kinds of source there are. */
export const SOURCE_KINDS = Object.keys(SOURCES) as readonly SourceOptions['kind'][];

/** Finds the source. Throws CAP_DISPLAY_UNAVAILABLE, CAP_SOURCE_NOT_FOUND or CAP_USAGE. */
export function openSource(options: SourceOptions): VideoSource {
  return (SOURCES[options.kind] as (options: SourceOptions) => VideoSource)(options);
}
