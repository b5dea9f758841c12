import { expectInteger, formatSize, type Size } from '../core/index.js';
import type { VideoSource } from './video-source.js';

/** The synthetic picture needs no display. */
export interface TestOptions {
  /** @default 1280x720 */
  readonly size?: Size | undefined;
}

const MIN_SIDE_PX = 64;
const MAX_SIDE_PX = 8192;

/** A synthetic picture: a moving ball, the wall clock and the running time, made by GStreamer. */
export function testSource(options: TestOptions = {}): VideoSource {
  const { width, height } = options.size ?? { width: 1280, height: 720 };
  // 4:2:0 pictures have even sides.
  const size = {
    width: evenDown(expectInteger('the test picture width', width, MIN_SIDE_PX, MAX_SIDE_PX)),
    height: evenDown(expectInteger('the test picture height', height, MIN_SIDE_PX, MAX_SIDE_PX)),
  };
  const font = `Sans ${Math.max(8, Math.round(size.height / 60))}`;
  return {
    label: `test ${formatSize(size)}`,
    launch:
      'videotestsrc name=source is-live=true pattern=ball ! capsfilter name=size ' +
      '! clockoverlay name=clock time-format="%Y-%m-%d %H:%M:%S" halignment=left valignment=top shaded-background=true ' +
      '! timeoverlay name=time halignment=right valignment=bottom shaded-background=true',
    properties: {
      size: { caps: `video/x-raw,format=I420,width=${size.width},height=${size.height}` },
      clock: { text: 'cap test', 'font-desc': font },
      time: { 'font-desc': font },
    },
    size,
    watch: () => ({ close: async () => {} }),
  };
}

const evenDown = (px: number): number => px - (px % 2);
