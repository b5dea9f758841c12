import { type Closable, once, type Rect, type Size } from '../core/index.js';
import { type NativePipewireScreen, native, nativePromise } from './addon.js';
import type { Pipeline } from './pipeline.js';
import type { PortalSession } from './portal.js';

/** A screen or window that PipeWire shows. The owner must close it. */
export class PipewireScreen implements Closable {
  /** Of its pictures, as they begin. */
  readonly size: Size;
  readonly #native: NativePipewireScreen;

  private constructor(screen: NativePipewireScreen, size: Size) {
    this.#native = screen;
    this.size = size;
  }

  /**
   * Connects, and waits until it is known what pictures will come.
   * @param portal whose way to PipeWire is taken; without it the user's own
   * @param region of what is shown; all of it when undefined
   * @throws CAP_DISPLAY_UNAVAILABLE
   */
  static async open(
    portal: PortalSession | undefined,
    node: number,
    { fps, region }: { readonly fps: number; readonly region?: Rect | undefined },
  ): Promise<PipewireScreen> {
    const { x, y, width, height } = region ?? { x: 0, y: 0, width: 0, height: 0 };
    const screen = native(
      (addon) => new addon.PipewireScreen(portal?.native ?? null, node, { x, y, width, height }, fps),
    );
    return new PipewireScreen(screen, await nativePromise(screen.open()));
  }

  /** Hands it to the element `cappipewiresrc` of that name; once, before the pipeline plays. */
  attach(pipeline: Pipeline, element: string): void {
    native(() => this.#native.attach(pipeline.native, element));
  }

  /** Lets go of it unless a pipeline has it. Idempotent. */
  readonly close = once(async () => this.#native.close());
}

/** The version of the user's PipeWire. @throws CAP_DISPLAY_UNAVAILABLE when it does not answer */
export function pipewireVersion(): Promise<string> {
  return nativePromise(native((addon) => addon.pipewireVersion()));
}
