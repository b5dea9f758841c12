import { type Closable, expectInteger, formatSize, type Size, unexpected } from '../core/index.js';
import type { ElementProperties, Pipeline } from '../native/index.js';
import { testPage } from './test-page.js';
import { nothingToWatch, type VideoSource } from './video-source.js';

/** What the test picture shows. */
export const TEST_PATTERNS = ['clock', 'text', 'noise'] as const;
/** A name of TEST_PATTERNS. */
export type TestPattern = (typeof TEST_PATTERNS)[number];

/** The synthetic picture needs no display. */
export interface TestOptions {
  /** @default 1280x720 */
  readonly size?: Size | undefined;
  /**
   * `clock`: a moving ball, the wall clock and the running time; `text`: a page of text that scrolls by a line a
   * second; `noise`: every pixel changes with every frame. @default 'clock'
   */
  readonly pattern?: TestPattern | undefined;
}

const MIN_SIDE_PX = 64;
const MAX_SIDE_PX = 8192;
const SCROLL_INTERVAL_MS = 1000;

interface Picture {
  readonly launch: string;
  readonly properties: ElementProperties;
  readonly watch: VideoSource['watch'];
}

/** A synthetic picture, made by GStreamer. */
export function testSource(options: TestOptions = {}): VideoSource {
  const { width, height } = options.size ?? { width: 1280, height: 720 };
  const { pattern = 'clock' } = options;
  if (!TEST_PATTERNS.includes(pattern)) {
    throw unexpected('the test pattern', `one of ${TEST_PATTERNS.join(', ')}`, pattern);
  }
  // 4:2:0 pictures have even sides.
  const size = {
    width: evenDown(expectInteger('the test picture width', width, MIN_SIDE_PX, MAX_SIDE_PX)),
    height: evenDown(expectInteger('the test picture height', height, MIN_SIDE_PX, MAX_SIDE_PX)),
  };
  const { launch, properties, watch } = PICTURES[pattern](size);
  return {
    label: `test ${pattern === 'clock' ? '' : `${pattern} `}${formatSize(size)}`,
    launch,
    properties: {
      ...properties,
      size: { caps: `video/x-raw,format=I420,width=${size.width},height=${size.height}` },
    },
    size,
    watch,
  };
}

const PICTURES: Readonly<Record<TestPattern, (size: Size) => Picture>> = {
  clock({ height }) {
    const font = `Sans ${Math.max(8, Math.round(height / 60))}`;
    return {
      launch:
        'videotestsrc name=source is-live=true pattern=ball ! capsfilter name=size ' +
        '! clockoverlay name=clock time-format="%Y-%m-%d %H:%M:%S" halignment=left valignment=top shaded-background=true ' +
        '! timeoverlay name=time halignment=right valignment=bottom shaded-background=true',
      properties: { clock: { text: 'cap test', 'font-desc': font }, time: { 'font-desc': font } },
      watch: nothingToWatch,
    };
  },
  text({ width, height }) {
    // At this size 56 letters of a monospaced font, 0.6 of its size wide, fill the width.
    const fontPx = Math.max(8, Math.min(Math.floor(height / 16), Math.floor(width / (56 * 0.6))));
    const lines = Math.max(1, Math.floor((height * 0.95) / (fontPx * 1.2)));
    return {
      launch:
        'videotestsrc name=source is-live=true pattern=solid-color foreground-color=0xfff4f4f0 ! capsfilter name=size ' +
        '! textoverlay name=page halignment=left valignment=top line-alignment=left wrap-mode=none auto-resize=false ' +
        'color=0xff202020 draw-shadow=false draw-outline=false',
      properties: { page: { text: testPage(0, lines), 'font-desc': `Monospace ${fontPx}px` } },
      watch: (_listener, pipeline) => scroll(pipeline, lines),
    };
  },
  noise: () => ({
    launch: 'videotestsrc name=source is-live=true pattern=snow ! capsfilter name=size',
    properties: {},
    watch: nothingToWatch,
  }),
};

function scroll(pipeline: Pipeline, lines: number): Closable {
  let first = 0;
  const timer = setInterval(() => {
    first += 1;
    pipeline.setProperty('page', 'text', testPage(first, lines));
  }, SCROLL_INTERVAL_MS);
  return { close: async () => clearInterval(timer) };
}

const evenDown = (px: number): number => px - (px % 2);
