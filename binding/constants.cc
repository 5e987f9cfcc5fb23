#include "constants.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "layout/strand_layout.h"
#include "log/log_status.h"
#include "mailbox.h"
#include "record/field_type.h"
#include "registry/registry_status.h"
#include "ring/status.h"
#include "ring/strand_view.h"
#include "ring/text_stretch.h"

namespace strand::binding {
namespace {

struct Named {
  const char* name;
  double value;
};

/// CTRL_*: index of a word's low half in an Int32Array over the strand.
constexpr double word(std::uint32_t offset) noexcept { return offset / 4.0; }

constexpr Named kConstants[]{
    {"STRAND_MAGIC", layout::kMagic},
    {"STRAND_VERSION", layout::kVersion},
    {"HEADER_SIZE", layout::kHeaderSize},
    {"MAX_HEADER_SIZE", layout::kMaxHeaderSize},
    {"OFFSET_MAGIC", layout::kOffsetMagic},
    {"OFFSET_VERSION", layout::kOffsetVersion},
    {"OFFSET_FINGERPRINT", layout::kOffsetFingerprint},
    {"OFFSET_RECORD_STRIDE", layout::kOffsetRecordStride},
    {"OFFSET_INDEX_CAPACITY", layout::kOffsetIndexCapacity},
    {"OFFSET_HEAP_CAPACITY", layout::kOffsetHeapCapacity},
    {"OFFSET_HEADER_CRC", layout::kOffsetHeaderCrc},
    {"OFFSET_HEADER_SIZE", layout::kOffsetHeaderSize},
    {"OFFSET_SCHEMA_BYTE_LEN", layout::kOffsetSchemaByteLength},
    {"OFFSET_META_BYTE_LEN", layout::kOffsetMetaByteLength},
    {"OFFSET_SCHEMA", layout::kOffsetSchema},
    {"CTRL_EPOCH", word(layout::kOffsetEpoch)},
    {"CTRL_BASE", word(layout::kOffsetBase)},
    {"CTRL_WRITE_SEQ", word(layout::kOffsetWriteSeq)},
    {"CTRL_HEAP_WRITE", word(layout::kOffsetHeapWrite)},
    {"CTRL_WINDOW_FLOOR", word(layout::kOffsetWindowFloor)},
    {"CTRL_HEAP_FLOOR", word(layout::kOffsetHeapFloor)},
    {"CTRL_WAIT_TARGET", word(layout::kOffsetWaitTarget)},
    {"CTRL_PAYLOAD_BYTES", word(layout::kOffsetPayloadBytes)},
    {"CTRL_STALLS", word(layout::kOffsetStalls)},
    {"CTRL_STALL_NANOS", word(layout::kOffsetStallNanos)},
    {"CTRL_PAST_RECORDS", word(layout::kOffsetPastRecords)},
    {"CTRL_COMMIT_SEQ", word(layout::kOffsetCommitSeq)},
    {"CTRL_HEAP_COMMIT", word(layout::kOffsetHeapCommit)},
    {"CTRL_STATUS", word(layout::kOffsetStatus)},
    {"CTRL_OWNER", word(layout::kOffsetOwner)},
    {"CTRL_READ_CURSOR", word(layout::kOffsetReadCursor)},
    {"CTRL_GATE", word(layout::kOffsetGate)},
    {"CTRL_ACTIVE", word(layout::kOffsetActive)},
    {"CTRL_CONSUMER_WAITS", word(layout::kOffsetConsumerWaits)},
    {"CTRL_DATA_EVENT", word(layout::kOffsetDataEvent)},
    {"CTRL_SPACE_EVENT", word(layout::kOffsetSpaceEvent)},
    {"CTRL_ABORT", word(layout::kOffsetAbort)},
    {"CTRL_CONSUMER_SLOTS", word(layout::kOffsetConsumerSlots + layout::kSlotCursor)},
    {"STATUS_INITIALIZING", layout::kStatusInitializing},
    {"STATUS_STREAMING", layout::kStatusStreaming},
    {"STATUS_EOS", layout::kStatusEos},
    {"STATUS_ERROR", layout::kStatusError},
    {"MAX_CONSUMERS", layout::kMaxConsumers},
    {"CONSUMER_SLOT_STRIDE", word(layout::kConsumerSlotSize)},
    // As the low word reads in an Int32Array.
    {"CONSUMER_SLOT_VACANT", static_cast<std::int32_t>(layout::kConsumerSlotVacant & 0xFFFFFFFF)},
    {"MAX_RECORD_STRIDE", layout::kMaxRecordStride},
    {"MAX_INDEX_CAPACITY", layout::kMaxIndexCapacity},
    {"MAX_REASON_BYTES", layout::kMaxReasonBytes},
    {"MAX_POSITION", static_cast<double>(layout::kMaxPosition)},
    {"HEAP_ABSENT_OFFSET", layout::kAbsentOffset},
    {"FIELD_FLAG_NULLABLE", kFieldNullable},
    {"FIELD_FLAG_SORTED_ASC", kFieldSortedAscending},
    {"FIELD_FLAG_SORTED_DESC", kFieldSortedDescending},
    {"TEXT_ABSENT", TextStretch::kAbsent},
};

constexpr Named kStatuses[]{
    {"OK", static_cast<double>(Status::kOk)},
    {"WOULD_BLOCK", static_cast<double>(Status::kWouldBlock)},
    {"ABORTED", static_cast<double>(Status::kAborted)},
    {"FENCED", static_cast<double>(Status::kFenced)},
    {"CLOSED", static_cast<double>(Status::kClosed)},
    {"ENDED", static_cast<double>(Status::kEnded)},
    {"CLAIMS_OPEN", static_cast<double>(Status::kClaimsOpen)},
    {"BATCH_OPEN", static_cast<double>(Status::kBatchOpen)},
    {"OUT_OF_ORDER", static_cast<double>(Status::kOutOfOrder)},
    {"UNSATISFIABLE", static_cast<double>(Status::kUnsatisfiable)},
    {"HEAP_TOO_SMALL", static_cast<double>(Status::kHeapTooSmall)},
    {"POSITION_LIMIT", static_cast<double>(Status::kPositionLimit)},
    {"BUSY", static_cast<double>(Status::kBusy)},
    {"RESET", static_cast<double>(Status::kReset)},
    {"PAST_COMMITTED", static_cast<double>(Status::kPastCommitted)},
    {"BEHIND", static_cast<double>(Status::kBehind)},
    {"NOT_COMMITTED", static_cast<double>(Status::kNotCommitted)},
    {"BAD_TOKEN", static_cast<double>(Status::kBadToken)},
    {"TOKEN_REQUIRED", static_cast<double>(Status::kTokenRequired)},
    {"NO_VACANT_SLOT", static_cast<double>(Status::kNoVacantSlot)},
    {"BAD_FIELD", static_cast<double>(Status::kBadField)},
    {"GONE", static_cast<double>(Status::kGone)},
};

constexpr Named kProgress[]{
    {"PENDING", static_cast<double>(Progress::kPending)}, {"READY", static_cast<double>(Progress::kReady)},
    {"ENDED", static_cast<double>(Progress::kEnded)},     {"RESET", static_cast<double>(Progress::kReset)},
    {"CLOSED", static_cast<double>(Progress::kClosed)},   {"GONE", static_cast<double>(Progress::kGone)},
};

constexpr Named kLogStatuses[]{
    {"OK", static_cast<double>(LogStatus::kOk)},
    {"NONE", static_cast<double>(LogStatus::kNone)},
    {"CLOSED", static_cast<double>(LogStatus::kClosed)},
    {"GONE", static_cast<double>(LogStatus::kGone)},
    {"CORRUPT", static_cast<double>(LogStatus::kCorrupt)},
    {"CURSOR", static_cast<double>(LogStatus::kCursor)},
    {"TOO_SMALL", static_cast<double>(LogStatus::kTooSmall)},
    {"TOO_LARGE", static_cast<double>(LogStatus::kTooLarge)},
    {"FULL", static_cast<double>(LogStatus::kFull)},
    {"FILE", static_cast<double>(LogStatus::kFile)},
};

constexpr Named kRegistryStatuses[]{
    {"OK", static_cast<double>(RegistryStatus::kOk)},
    {"QUEUED", static_cast<double>(RegistryStatus::kQueued)},
    {"GRANTED", static_cast<double>(RegistryStatus::kGranted)},
    {"NO_ROOM", static_cast<double>(RegistryStatus::kNoRoom)},
    {"GROWN", static_cast<double>(RegistryStatus::kGrown)},
    {"JOINED", static_cast<double>(RegistryStatus::kJoined)},
    {"NOT_HELD", static_cast<double>(RegistryStatus::kNotHeld)},
    {"BUSY", static_cast<double>(RegistryStatus::kBusy)},
    {"CORRUPT", static_cast<double>(RegistryStatus::kCorrupt)},
};

/// In the order of FieldKind.
constexpr std::array<const char*, 9> kKindNames{"unsigned", "signed", "float", "bool", "ref",
                                                "fixed",    "text",   "json",  "array"};

template <std::size_t N>
Napi::Object table(Napi::Env env, const Named (&entries)[N]) noexcept {
  Napi::Object object = Napi::Object::New(env);
  for (const Named& entry : entries) object.Set(entry.name, Napi::Number::New(env, entry.value));
  return object;
}

Napi::Array fieldTypes(Napi::Env env) noexcept {
  Napi::Array types = Napi::Array::New(env, kFieldTypes.size());
  std::uint32_t at = 0;
  for (const FieldTypeInfo& info : kFieldTypes) {
    Napi::Object type = Napi::Object::New(env);
    type.Set("name", Napi::String::New(env, info.name.data(), info.name.size()));
    type.Set("tag", Napi::Number::New(env, static_cast<double>(info.type)));
    type.Set("kind", kKindNames[static_cast<std::size_t>(info.kind)]);
    type.Set("width", Napi::Number::New(env, info.width));
    type.Set("elementSize", Napi::Number::New(env, info.elementSize));
    types[at++] = type;
  }
  return types;
}

}  // namespace

void addConstants(Napi::Object exports) noexcept {
  const Napi::Env env = exports.Env();
  exports.Set("constants", table(env, kConstants));
  exports.Set("status", table(env, kStatuses));
  exports.Set("progress", table(env, kProgress));
  exports.Set("logStatus", table(env, kLogStatuses));
  exports.Set("registryStatus", table(env, kRegistryStatuses));
  exports.Set("fieldTypes", fieldTypes(env));
  Napi::Object box = Napi::Object::New(env);
  for (std::size_t i = 0; i < kBoxNames.size(); ++i) {
    box.Set(std::string(kBoxNames[i]), Napi::Number::New(env, static_cast<double>(i)));
  }
  exports.Set("box", box);
}

}  // namespace strand::binding
