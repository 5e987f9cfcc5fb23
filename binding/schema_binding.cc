#include "schema_binding.h"

#include <cmath>

#include "convert.h"
#include "environment.h"
#include "layout/strand_layout.h"
#include "record/metadata.h"
#include "ring/strand_file.h"

namespace strand::binding {
namespace {

constexpr std::uint32_t kNumbersPerSpec = 3;

/// What is no whole number must not become one on the way: it is refused as 0 or as too large.
std::uint64_t toCount(double value) noexcept {
  constexpr double kMost = 9007199254740992.0;
  if (!(value > 0) || std::trunc(value) != value) return 0;
  return static_cast<std::uint64_t>(value < kMost ? value : kMost);
}

std::uint64_t numberAt(const Napi::CallbackInfo& info, std::size_t i) noexcept {
  return info[i].IsNumber() ? toCount(info[i].As<Napi::Number>().DoubleValue()) : 0;
}

std::uint32_t saturate(std::uint64_t value) noexcept {
  return value > UINT32_MAX ? UINT32_MAX : static_cast<std::uint32_t>(value);
}

std::uint32_t number32At(const Napi::CallbackInfo& info, std::size_t i) noexcept { return saturate(numberAt(info, i)); }

Napi::Value buildSchema(const Napi::CallbackInfo& info) {
  const std::vector<std::string> names = namesOf(info[0]);
  if (!info[1].IsTypedArray()) return info.Env().Undefined();
  const auto numbers = info[1].As<Napi::Uint32Array>();
  if (numbers.ElementLength() != names.size() * kNumbersPerSpec) return info.Env().Undefined();
  std::vector<FieldSpec> specs;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::uint32_t tag = numbers[i * kNumbersPerSpec];
    if (!isFieldTag(tag)) {
      return toFault(info.Env(), Fault::type("field '" + names[i] + "' has an unknown type"));
    }
    specs.push_back({names[i], static_cast<FieldType>(tag), static_cast<std::uint8_t>(numbers[i * kNumbersPerSpec + 1]),
                     numbers[i * kNumbersPerSpec + 2]});
  }
  Schema schema;
  if (const Fault fault = Schema::build(specs, schema); !fault.ok()) return toFault(info.Env(), fault);
  return toObject(info.Env(), schema);
}

/// Binary schema of fields as five numbers each, as they are: what is wrong shows when it is decoded.
std::vector<std::byte> encodeFields(const Napi::Value& value) {
  std::vector<std::byte> bytes;
  if (!value.IsTypedArray()) return bytes;
  const auto numbers = value.As<Napi::Int32Array>();
  for (std::size_t i = 0; i + 4 < numbers.ElementLength(); i += 5) {
    const auto offset = static_cast<std::uint32_t>(numbers[i + 2]);
    bytes.push_back(static_cast<std::byte>(numbers[i]));
    bytes.push_back(static_cast<std::byte>(numbers[i + 1]));
    bytes.push_back(static_cast<std::byte>(offset & 0xFF));
    bytes.push_back(static_cast<std::byte>(offset >> 8));
    if (numbers[i] == static_cast<std::int32_t>(FieldType::kFixedBytes)) {
      const auto width = static_cast<std::uint32_t>(numbers[i + 3]);
      for (std::uint32_t shift = 0; shift < 32; shift += 8) {
        bytes.push_back(static_cast<std::byte>((width >> shift) & 0xFF));
      }
    }
  }
  return bytes;
}

Napi::Value encodeSchema(const Napi::CallbackInfo& info) {
  const std::vector<std::byte> bytes = encodeFields(info[0]);
  Schema checked;
  const Fault fault = Schema::decode(bytes, number32At(info, 1), checked);
  if (!fault.ok()) return toFault(info.Env(), fault);
  Napi::Uint8Array array = Napi::Uint8Array::New(info.Env(), bytes.size());
  // A thread that is being terminated gets no array.
  if (array.IsEmpty()) return array;
  std::transform(bytes.begin(), bytes.end(), array.Data(),
                 [](std::byte byte) { return static_cast<std::uint8_t>(byte); });
  return array;
}

Napi::Value decodeSchema(const Napi::CallbackInfo& info) {
  Schema schema;
  const Fault fault = Schema::decode(bytesOf(info[0]), number32At(info, 1), schema);
  if (!fault.ok()) return toFault(info.Env(), fault);
  return toObject(info.Env(), schema);
}

Napi::Value fingerprint(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), fnv1a(bytesOf(info[0])));
}

/// A schema from names, its binary form and its stride.
Fault schemaOf(const Napi::Value& names, const Napi::Value& bytes, std::uint32_t stride, Schema& schema) {
  if (Fault fault = Schema::decode(bytesOf(bytes), stride, schema); !fault.ok()) {
    return fault;
  }
  return schema.setNames(namesOf(names));
}

Napi::Value computeGeometry(const Napi::CallbackInfo& info) {
  Schema schema;
  if (const Fault fault = schemaOf(info[0], info[1], number32At(info, 2), schema); !fault.ok()) {
    return toFault(info.Env(), fault);
  }
  Geometry geometry;
  const Fault fault =
      strand::computeGeometry(schema, numberAt(info, 3), numberAt(info, 4), numberAt(info, 5), geometry);
  if (!fault.ok()) return toFault(info.Env(), fault);
  return toObject(info.Env(), geometry);
}

/// What a header is to say, as a call's arguments from the second on have it: names, binary schema, geometry, members of
/// the metadata.
Fault planOf(const Napi::CallbackInfo& info, StrandPlan& plan) {
  if (!info[3].IsObject() || !info[4].IsString()) return Fault::type("a header takes a geometry and metadata");
  const auto object = info[3].As<Napi::Object>();
  const auto member = [&](const char* name) {
    const Napi::Value value = object.Get(name);
    return value.IsNumber() ? saturate(toCount(value.As<Napi::Number>().DoubleValue())) : 0U;
  };
  plan.geometry.indexCapacity = member("indexCapacity");
  plan.geometry.heapCapacity = member("heapCapacity");
  plan.geometry.recordStride = member("recordStride");
  plan.geometry.headerSize = member("headerSize");
  if (Fault fault = schemaOf(info[1], info[2], plan.geometry.recordStride, plan.schema); !fault.ok()) return fault;
  plan.metadata = composeMetadata(plan.schema, info[4].As<Napi::String>().Utf8Value());
  return Fault::none();
}

Napi::Value writeHeader(const Napi::CallbackInfo& info) {
  StrandPlan plan;
  Fault fault = planOf(info, plan);
  if (fault.ok()) fault = strand::writeHeader(regionOf(info[0]), plan.schema, plan.geometry, plan.metadata);
  return fault.ok() ? info.Env().Undefined() : toFault(info.Env(), fault);
}

Napi::Value openStrandFile(const Napi::CallbackInfo& info) {
  const std::string path = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : std::string();
  StrandPlan plan;
  const bool makes = !info[1].IsUndefined();
  Fault fault = makes ? planOf(info, plan) : Fault::none();
  Region region;
  if (fault.ok()) region = strand::openStrandFile(path, makes ? &plan : nullptr, fault);
  if (!fault.ok()) return toFault(info.Env(), fault);
  const SharedFile& file = *region.file();
  Environment& environment = *Environment::of(info.Env());
  if (napi_value known = environment.bufferOf(file)) return {info.Env(), known};
  const std::uint64_t bytes = region.size();
  std::byte* const data = region.data();
  if (napi_value buffer = toArrayBuffer(info.Env(), data, bytes, std::make_shared<Region>(std::move(region)))) {
    environment.remember(file, buffer);
    return {info.Env(), buffer};
  }
  return toFault(info.Env(), Fault::file("this version of Node.js cannot map the " + std::to_string(bytes) +
                                         " bytes of '" + path + "': use a smaller indexCapacity or heapCapacity"));
}

Napi::Value readHeader(const Napi::CallbackInfo& info) {
  StrandHeader header;
  const Fault fault = strand::readHeader(regionOf(info[0]), header);
  return fault.ok() ? toObject(info.Env(), header) : toFault(info.Env(), fault);
}

Napi::Value heapStart(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(layout::heapStart(number32At(info, 0), number32At(info, 1),
                                                                             number32At(info, 2))));
}

Napi::Value computeTotalBytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(
      info.Env(), static_cast<double>(layout::totalBytes(number32At(info, 0), number32At(info, 1), number32At(info, 2),
                                                         number32At(info, 3))));
}

}  // namespace

void addSchemaFunctions(Napi::Object exports) noexcept {
  const Napi::Env env = exports.Env();
  exports.Set("buildSchema", Napi::Function::New<buildSchema>(env));
  exports.Set("encodeSchema", Napi::Function::New<encodeSchema>(env));
  exports.Set("decodeSchema", Napi::Function::New<decodeSchema>(env));
  exports.Set("fingerprint", Napi::Function::New<fingerprint>(env));
  exports.Set("computeGeometry", Napi::Function::New<computeGeometry>(env));
  exports.Set("writeHeader", Napi::Function::New<writeHeader>(env));
  exports.Set("openStrandFile", Napi::Function::New<openStrandFile>(env));
  exports.Set("readHeader", Napi::Function::New<readHeader>(env));
  exports.Set("heapStart", Napi::Function::New<heapStart>(env));
  exports.Set("computeTotalBytes", Napi::Function::New<computeTotalBytes>(env));
}

}  // namespace strand::binding
