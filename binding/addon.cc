#include <napi.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "constants.h"
#include "environment.h"
#include "file_lock_binding.h"
#include "handle.h"
#include "log_binding.h"
#include "registry_binding.h"
#include "scan_binding.h"
#include "schema_binding.h"
#include "strand_abi.h"
#include "typed_array.h"
#include "view_binding.h"
#include "wait/shutdown.h"
#include "writer_binding.h"

namespace strand::binding {
namespace {

void onWake(const Napi::CallbackInfo& info) {
  if (info[0].IsFunction()) Environment::of(info.Env())->onWake(info[0]);
}

/// Read as it is: to coerce fails in a thread that is being terminated, and what comes of that ends the process.
void holdLoop(const Napi::CallbackInfo& info) {
  bool hold = false;
  if (napi_get_value_bool(info.Env(), info[0], &hold) == napi_ok) Environment::of(info.Env())->holdLoop(hold);
}

/// Copies the bytes of one typed array to another's, as far as both go.
napi_value copyBytes(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  const std::span<std::byte> target = rawBytesOf(env, arguments[0]);
  const std::span<const std::byte> source = rawBytesOf(env, arguments[1]);
  const std::size_t bytes = std::min(target.size(), source.size());
  if (bytes != 0) std::memmove(target.data(), source.data(), bytes);
  return nullptr;
}

void beginShutdown(const Napi::CallbackInfo& /*info*/) { wait::beginShutdown(); }

Napi::Object init(Napi::Env env, Napi::Object exports) {
  if (!Environment::create(env)) return exports;
  exports.Set("abi", STRAND_ABI);
  addConstants(exports);
  addSchemaFunctions(exports);
  addWordFunctions(exports);
  addRegistryFunctions(exports);
  exports.Set("openWriter", Napi::Function::New<openWriter>(env));
  exports.Set("openView", Napi::Function::New<openView>(env));
  exports.Set("openLog", Napi::Function::New<openLog>(env));
  exports.Set("takeFileLock", Napi::Function::New<takeFileLock>(env));
  exports.Set("onWake", Napi::Function::New<onWake>(env));
  exports.Set("holdLoop", Napi::Function::New<holdLoop>(env));
  napi_value copy = nullptr;
  napi_create_function(env, "copyBytes", NAPI_AUTO_LENGTH, copyBytes, nullptr, &copy);
  exports.Set("copyBytes", copy);
  exports.Set("beginShutdown", Napi::Function::New<beginShutdown>(env));
  return exports;
}

}  // namespace
}  // namespace strand::binding

// The macro looks for the function in the scope in which it stands.
namespace strand::binding {
NODE_API_MODULE(strand, init)
}  // namespace strand::binding
