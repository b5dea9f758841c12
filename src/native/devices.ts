import { type NativeEvent, native } from './addon.js';

/** A camera, as GStreamer's device monitor names it. */
export interface Device {
  /** GStreamer's class, such as `Video/Source`. */
  readonly class: string;
  /** For people. */
  readonly name: string;
  /** What it is opened by: `/dev/video0`, or a media server's node name. Empty when its provider does not say. */
  readonly path: string;
}

/**
 * Lists cameras. After `timeoutMs` those that were found by then: a device provider may wait for a
 * media server that does not answer.
 */
export function listDevices(timeoutMs = 3000): Promise<Device[]> {
  return new Promise((resolve, reject) => {
    const found: Device[] = [];
    const timer = setTimeout(() => resolve(found), timeoutMs);
    const take = (event: NativeEvent): void => {
      if (event.type === 'done') {
        clearTimeout(timer);
        resolve(found);
      } else {
        found.push({ class: String(event.class), name: String(event.name), path: String(event.path) });
      }
    };
    try {
      native((addon) => addon.listDevices(take));
    } catch (error) {
      clearTimeout(timer);
      reject(error);
    }
  });
}
