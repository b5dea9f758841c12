import { native, nativePromise, type SoundServerDescription } from './addon.js';

/**
 * What the sound server (PulseAudio, or PipeWire in its place) has and what it plays. Takes three seconds at most.
 * @throws CAP_DEPENDENCY_MISSING when there is none
 */
export function describeSoundServer(): Promise<SoundServerDescription> {
  return nativePromise(native((addon) => addon.describeSoundServer()));
}

/** Loads a module, which stays when this process is gone. @throws CAP_DEPENDENCY_MISSING when it is refused */
export function loadSoundModule(name: string, argument: string): Promise<number> {
  return nativePromise(native((addon) => addon.loadSoundModule(name, argument)));
}

/** @throws CAP_PIPELINE_FAILED when it is refused, as when it is unloaded already */
export function unloadSoundModule(index: number): Promise<void> {
  return nativePromise(native((addon) => addon.unloadSoundModule(index)));
}

/** Has a stream played on another output. @throws CAP_PIPELINE_FAILED when it is refused */
export function moveSoundStream(index: number, output: string): Promise<void> {
  return nativePromise(native((addon) => addon.moveSoundStream(index, output)));
}
