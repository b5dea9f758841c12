// The sound server, for JavaScript: what it has, and what is changed to hear one application alone.
#pragma once

#include <napi.h>

namespace cap {

// describeSoundServer(): Promise<SoundServerDescription>
Napi::Value DescribeSoundServer(const Napi::CallbackInfo& info);

// loadSoundModule(name, argument): Promise<number>
Napi::Value LoadSoundModule(const Napi::CallbackInfo& info);

// unloadSoundModule(index): Promise<void>
Napi::Value UnloadSoundModule(const Napi::CallbackInfo& info);

// moveSoundStream(index, output): Promise<void>
Napi::Value MoveSoundStream(const Napi::CallbackInfo& info);

}  // namespace cap
