import { type Closable, encodeStaticSections, type StaticSections } from '../core/index.js';
import { type HubStats, type NativeHub, native, type Pipeline } from '../native/index.js';

/** Key frames that readers ask for are at least this far apart, so that joins cannot fill the stream with them. */
const MIN_KEY_FRAME_INTERVAL_MS = 80;

/** Coded pictures that any number of doors share, wherever they were encoded. */
export interface AccessUnitStream {
  /** The addon's object, for the doors. */
  readonly native: NativeHub;
  requestKeyFrame(): void;
  readonly stats: HubStats;
}

/** The one encoded stream that every door shares. */
export class SharedStream implements AccessUnitStream, Closable {
  readonly native: NativeHub;

  /**
   * @param appsink name of the pipeline's appsink that gets the access units
   * @param options.codedElsewhere they are passed on, not encoded here: nobody can ask for a key frame, so the units
   * since the last one are kept for who joins
   * @param options.codingDelayNs what is decoded of an access unit begins that much before the unit's time
   */
  constructor(
    pipeline: Pipeline,
    appsink: string,
    {
      codedElsewhere = false,
      codingDelayNs = 0,
    }: { codedElsewhere?: boolean | undefined; codingDelayNs?: number } = {},
  ) {
    this.native = native(
      (addon) =>
        new addon.AccessUnitHub(
          pipeline.native,
          appsink,
          MIN_KEY_FRAME_INTERVAL_MS,
          codedElsewhere,
          Math.round(codingDelayNs),
        ),
    );
  }

  /** What every access unit's SEI says from now on, beside the per-frame part. */
  describe(sections: StaticSections): void {
    this.native.setStaticSections(encodeStaticSections(sections));
  }

  requestKeyFrame(): void {
    this.native.requestKeyFrame();
  }

  /** Whether anybody looks at the stream: readers who play, recordings, another process's readers. */
  get watched(): boolean {
    return this.native.watched();
  }

  /** Calls `listener` whenever `watched` may have changed. For one listener. */
  onWatched(listener: () => void): void {
    this.native.onWatched(listener);
  }

  get stats(): HubStats {
    return this.native.stats();
  }

  async close(): Promise<void> {
    this.native.close();
  }
}
