import type { CapError } from '../../src/core/index.js';
import { portalSource } from '../../src/producer/portal-source.js';
import type { ScreenOptions } from '../../src/producer/screen-source.js';
import type { SourceDemand } from '../../src/producer/video-source.js';
import type { DesktopServices } from './desktop-services.js';
import { startRawFrames } from './raw-capture.js';
import type { WaylandCapture } from './wayland-capture.js';

export interface SharedCapture extends WaylandCapture {
  readonly label: string;
}

/** Captures what a desktop shares, through its portal; without the cursor. */
export async function captureShared(
  desktop: Pick<DesktopServices, 'enter'>,
  options: ScreenOptions = {},
  demand: Partial<SourceDemand> = {},
): Promise<SharedCapture> {
  desktop.enter();
  const source = await portalSource({ cursor: false, ...options }, { fps: 60, asItIs: false, ...demand });
  let fail: (error: CapError) => void = () => undefined;
  const failed = new Promise<CapError>((resolve) => {
    fail = resolve;
  });
  try {
    const frames = await startRawFrames({
      launch: `${source.launch} ! video/x-raw,framerate=60/1`,
      properties: source.properties,
      source: source.size,
      onBuilt: (pipeline) => void source.watch({ lost: fail, warned: () => undefined }, pipeline),
      onFailed: fail,
    });
    return {
      ...frames,
      failed,
      label: source.label,
      async [Symbol.asyncDispose]() {
        await frames[Symbol.asyncDispose]();
        await source.close?.();
      },
    };
  } catch (error) {
    await source.close?.();
    throw error;
  }
}
