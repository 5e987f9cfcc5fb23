#pragma once

#include <napi.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "memory/region.h"
#include "record/encode.h"
#include "record/fault.h"
#include "record/schema.h"
#include "ring/strand_header.h"

namespace strand::binding {

/// `{ fault, message }`; TypeScript makes the error of it.
Napi::Value toFault(Napi::Env env, const Fault& fault) noexcept;

/// Bytes of a Uint8Array; empty for anything else.
std::span<std::byte> bytesOf(const Napi::Value& value) noexcept;
/// Words of a Uint32Array; empty for anything else.
std::span<std::uint32_t> wordsOf(napi_env env, napi_value value) noexcept;
/// A number or bigint; anything else is NaN. A bigint past 64 bits becomes a double past them: it compares with every
/// stored integer alike.
Value numberOf(napi_env env, napi_value value) noexcept;
/// The memory behind a Uint8Array: of a SharedArrayBuffer, whose array the caller keeps, or what openStrandFile() gave.
Region regionOf(const Napi::Value& value) noexcept;
/// An ArrayBuffer over memory that it keeps; undefined where the engine does not take it.
napi_value toArrayBuffer(napi_env env, std::byte* data, std::uint64_t bytes, std::shared_ptr<void> keeper) noexcept;

std::vector<std::string> namesOf(const Napi::Value& value) noexcept;

/// Fields as five numbers each: tag, flags, offset, width, nullable bit.
Napi::Object toObject(Napi::Env env, const Schema& schema) noexcept;
Napi::Object toObject(Napi::Env env, const Geometry& geometry) noexcept;
Napi::Object toObject(Napi::Env env, const StrandHeader& header) noexcept;

}  // namespace strand::binding
