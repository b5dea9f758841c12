import { native } from '../native/index.js';

/** What capture and its readers are built from. */
const NEEDED = [
  'appsrc appsink identity capsfilter videotestsrc',
  'capx11src capcompose capx264enc',
  'rtspsrc rtph264pay rtph264depay h264parse avdec_h264',
  'mp4mux filesink',
].flatMap((line) => line.split(' '));

/** What only some sources need. */
const OPTIONAL: Readonly<Record<string, string>> = {
  decodebin: 'files, V4L2 devices and scaled cameras',
  videoconvert: 'files, V4L2 devices and scaled cameras',
  videoscale: 'files, V4L2 devices and scaled cameras',
  v4l2src: 'V4L2 devices',
  audioconvert: 'sound',
  opusenc: 'sound in Opus',
  rtpopuspay: 'sound in Opus',
  avenc_aac: 'sound in AAC',
  rtpmp4gpay: 'sound in AAC',
};

/** GStreamer as it is installed. */
export interface MediaFramework {
  /** `GStreamer 1.22.0`. */
  readonly version: string;
  /** Needed elements that are not installed. */
  readonly missing: readonly string[];
  /** Elements that are not installed, each with what does without. */
  readonly missingOptional: readonly { readonly element: string; readonly use: string }[];
}

/** @throws CAP_DEPENDENCY_MISSING when the addon does not load */
export function mediaFramework(): MediaFramework {
  const isMissing = (element: string): boolean => !native((addon) => addon.hasElement(element));
  const missingOptional = Object.entries(OPTIONAL).map(([element, use]) => ({ element, use }));
  return {
    version: native((addon) => addon.gstreamerVersion()),
    missing: NEEDED.filter(isMissing),
    missingOptional: missingOptional.filter(({ element }) => isMissing(element)),
  };
}

/** Whether text can be drawn into the test pictures: Pango's elements are there. */
export function canDrawText(): boolean {
  return ['clockoverlay', 'timeoverlay', 'textoverlay'].every((element) =>
    native((addon) => addon.hasElement(element)),
  );
}
