#include "convert.h"

#include <limits>

namespace strand::binding {
namespace {

constexpr std::size_t kNumbersPerField = 5;

Napi::Number number(Napi::Env env, std::uint64_t value) noexcept {
  return Napi::Number::New(env, static_cast<double>(value));
}

const char* faultName(FaultCode code) noexcept {
  switch (code) {
    case FaultCode::kType:
      return "type";
    case FaultCode::kRange:
      return "range";
    case FaultCode::kFile:
      return "file";
    case FaultCode::kFormat:
      return "format";
    case FaultCode::kLocked:
      return "locked";
    case FaultCode::kBusy:
      return "busy";
    default:
      return "header";
  }
}

void addSchema(Napi::Object object, const Schema& schema) noexcept {
  const std::span<const Field> fields = schema.fields();
  Napi::Int32Array numbers = Napi::Int32Array::New(object.Env(), fields.size() * kNumbersPerField);
  // A thread that is being terminated gets no array.
  if (numbers.IsEmpty()) return;
  std::size_t at = 0;
  for (const Field& field : fields) {
    numbers[at++] = static_cast<std::int32_t>(field.type);
    numbers[at++] = field.flags;
    numbers[at++] = field.offset;
    numbers[at++] = static_cast<std::int32_t>(field.width);
    numbers[at++] = field.nullableBit;
  }
  object.Set("fields", numbers);
  object.Set("stride", number(object.Env(), schema.recordStride()));
}

}  // namespace

Napi::Value toFault(Napi::Env env, const Fault& fault) noexcept {
  Napi::Object object = Napi::Object::New(env);
  object.Set("fault", faultName(fault.code));
  object.Set("message", fault.message);
  return object;
}

std::span<std::byte> bytesOf(const Napi::Value& value) noexcept {
  napi_typedarray_type type = napi_int8_array;
  std::size_t length = 0;
  void* data = nullptr;
  if (!value.IsTypedArray() ||
      napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr) != napi_ok) {
    return {};
  }
  if (type != napi_uint8_array || data == nullptr) return {};
  return {static_cast<std::byte*>(data), length};
}

std::span<std::uint32_t> wordsOf(napi_env env, napi_value value) noexcept {
  napi_typedarray_type type = napi_int8_array;
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) return {};
  if (type != napi_uint32_array || data == nullptr) return {};
  return {static_cast<std::uint32_t*>(data), length};
}

Value numberOf(napi_env env, napi_value value) noexcept {
  double number = std::numeric_limits<double>::quiet_NaN();
  if (napi_get_value_double(env, value, &number) == napi_ok) return number;
  std::int64_t integer = 0;
  bool lossless = false;
  if (napi_get_value_bigint_int64(env, value, &integer, &lossless) != napi_ok) return number;
  if (lossless) return integer;
  std::uint64_t natural = 0;
  napi_get_value_bigint_uint64(env, value, &natural, &lossless);
  if (lossless) return natural;
  int sign = 0;
  std::size_t words = 1;
  std::uint64_t ignored = 0;
  napi_get_value_bigint_words(env, value, &sign, &words, &ignored);
  constexpr double kBeyond = 1e300;
  return sign != 0 ? -kBeyond : kBeyond;
}

Region regionOf(const Napi::Value& value) noexcept {
  const std::span<std::byte> bytes = bytesOf(value);
  if (std::shared_ptr<SharedFile> file = SharedFile::mappedAt(bytes.data())) return Region(std::move(file));
  return {bytes.data(), bytes.size()};
}

napi_value toArrayBuffer(napi_env env, std::byte* data, std::uint64_t bytes, std::shared_ptr<void> keeper) noexcept {
  auto kept = std::make_unique<std::shared_ptr<void>>(std::move(keeper));
  const auto drop = [](napi_env, void*, void* hint) {
    std::unique_ptr<std::shared_ptr<void>>(static_cast<std::shared_ptr<void>*>(hint));
  };
  napi_value buffer = nullptr;
  if (napi_create_external_arraybuffer(env, data, bytes, drop, kept.get(), &buffer) != napi_ok) return nullptr;
  (void)kept.release();
  return buffer;
}

std::vector<std::string> namesOf(const Napi::Value& value) noexcept {
  std::vector<std::string> names;
  if (!value.IsArray()) return names;
  const auto array = value.As<Napi::Array>();
  names.reserve(array.Length());
  for (std::uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value name = array[i];
    names.push_back(name.IsString() ? name.As<Napi::String>().Utf8Value() : std::string());
  }
  return names;
}

Napi::Object toObject(Napi::Env env, const Schema& schema) noexcept {
  Napi::Object object = Napi::Object::New(env);
  addSchema(object, schema);
  return object;
}

Napi::Object toObject(Napi::Env env, const Geometry& geometry) noexcept {
  Napi::Object object = Napi::Object::New(env);
  object.Set("indexCapacity", number(env, geometry.indexCapacity));
  object.Set("heapCapacity", number(env, geometry.heapCapacity));
  object.Set("recordStride", number(env, geometry.recordStride));
  object.Set("headerSize", number(env, geometry.headerSize));
  object.Set("heapStart", number(env, geometry.heapStart));
  object.Set("totalBytes", number(env, geometry.totalBytes));
  return object;
}

Napi::Object toObject(Napi::Env env, const StrandHeader& header) noexcept {
  Napi::Object object = Napi::Object::New(env);
  addSchema(object, header.schema);
  const std::span<const Field> fields = header.schema.fields();
  Napi::Array names = Napi::Array::New(env, fields.size());
  for (std::uint32_t i = 0; i < fields.size(); ++i) names[i] = Napi::String::New(env, fields[i].name);
  object.Set("names", names);
  object.Set("geometry", toObject(env, header.geometry));
  object.Set("metadata", header.metadata);
  return object;
}

}  // namespace strand::binding
