import { type FileOptions, fileSource } from './file-source.js';
import { PLATFORM_SCREENS, platformScreenSource } from './platform-screen.js';
import { type RtspOptions, rtspSource } from './rtsp-source.js';
import { openScreen } from './screen-choice.js';
import type { ScreenOptions } from './screen-source.js';
import { type TestOptions, testSource } from './test-source.js';
import { type V4l2Options, v4l2Source } from './v4l2-source.js';
import type { SourceDemand, VideoSource } from './video-source.js';

/** Which source, by kind, with that kind's options. */
export type SourceOptions =
  | ({ readonly kind: 'screen' } & ScreenOptions)
  | ({ readonly kind: 'test' } & TestOptions)
  | ({ readonly kind: 'file' } & FileOptions)
  | ({ readonly kind: 'v4l2' } & V4l2Options)
  | ({ readonly kind: 'rtsp' } & RtspOptions);

type Opener<Options> = (options: Options, demand: SourceDemand) => VideoSource | Promise<VideoSource>;
type Openers = { [Kind in SourceOptions['kind']]: Opener<Extract<SourceOptions, { kind: Kind }>> };

/** Every kind of source: with the schemes in source-url.ts the one place to add another. */
const SOURCES: Openers = {
  screen(options, demand) {
    const platform = PLATFORM_SCREENS[process.platform];
    return platform ? platformScreenSource(platform, options, demand) : openScreen(options, demand);
  },
  test: testSource,
  file: fileSource,
  v4l2: v4l2Source,
  rtsp: rtspSource,
};

/** The kinds of source there are. */
export const SOURCE_KINDS = Object.keys(SOURCES) as readonly SourceOptions['kind'][];

/**
 * Finds the source. Whoever does not watch the result must close it.
 * @throws CAP_DISPLAY_UNAVAILABLE, CAP_SOURCE_NOT_FOUND, CAP_SHARING_REFUSED, CAP_STREAM_UNAVAILABLE,
 *   CAP_AUTH_FAILED, CAP_USAGE
 */
export async function openSource(options: SourceOptions, demand: SourceDemand): Promise<VideoSource> {
  return (SOURCES[options.kind] as Opener<SourceOptions>)(options, demand);
}
