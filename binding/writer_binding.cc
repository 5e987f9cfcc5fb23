#include "writer_binding.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <span>

#include "column_binding.h"
#include "convert.h"
#include "handle.h"
#include "ring/strand_writer.h"
#include "text_sink.h"
#include "typed_array.h"
#include "wait/shutdown.h"

namespace strand::binding {
namespace {

/// Records of one run at most: what `ends` has room for.
constexpr std::uint32_t kMaxRun = 8192;
/// Payload bytes of a record that is published by one call; a larger one goes as a batch of one.
constexpr std::uint64_t kScratchHeap = 16384;

class WriterHandle final : public Handle {
 public:
  WriterHandle(Napi::Env env, StrandWriter writer) noexcept : Handle(env), writer_(std::move(writer)) {}
  /// Garbage collection of a writer is no end of its stream.
  ~WriterHandle() override { writer_.detach(); }
  WriterHandle(const WriterHandle&) = delete;
  WriterHandle& operator=(const WriterHandle&) = delete;

  void threadEnds() noexcept override {
    disarm();
    writer_.close("the producer's thread ended before finalize()");
  }

  void expose(Napi::Object object, Napi::Uint8Array memory) noexcept;

 private:
  [[nodiscard]] StrandWriter::BatchNeed need() const noexcept {
    return {box_.count(Box::kInRemaining),
            {box_.count(Box::kInNeedAnywhere), box_.count(Box::kInNeedAtStart)},
            box_.count(Box::kInHint),
            box_.count(Box::kInPartial) != 0};
  }

  void handOver() noexcept {
    const std::uint32_t done = std::min(box_.count32(Box::kInDone), maxRun_);
    if (done != 0) writer_.advance(std::span(ends_, done));
  }

  napi_value reserve(napi_env env, napi_callback_info) {
    handOver();
    StrandWriter::Run run;
    StrandWriter::BatchNeed wanted = need();
    const Status status = writer_.reserve(wanted, run);
    box_.set(Box::kOutPublished, writer_.publishedInBatch());
    if (status == Status::kOk) {
      box_.set(Box::kOutSlot, run.slotOffset);
      box_.set(Box::kOutSlotCount, std::uint64_t{std::min(run.slotCount, maxRun_)});
      box_.set(Box::kOutHeap, run.heapOffset);
      box_.set(Box::kOutHeapBytes, run.heapBytes);
      heap_.set(writer_.data(), run.heapOffset, run.heapOffset + run.heapBytes);
    }
    return toValue(env, status);
  }

  napi_value publish(napi_env env, napi_callback_info) {
    handOver();
    const Status status = writer_.publish();
    box_.set(Box::kOutPublished, writer_.publishedInBatch());
    heap_.set(nullptr, 0, 0);
    return toValue(env, status);
  }

  napi_value abandon(napi_env, napi_callback_info) {
    writer_.abandon();
    heap_.set(nullptr, 0, 0);
    return nullptr;
  }

  napi_value publishRecord(napi_env env, napi_callback_info) {
    const std::uint32_t stride = writer_.header().geometry.recordStride;
    const std::uint64_t heapBytes = std::min(box_.count(Box::kInHeapBytes), scratchBytes_ - stride);
    const std::span<const std::byte> scratch(scratch_, scratchBytes_);
    return toValue(env, writer_.publishRecord(scratch.first(stride), scratch.subspan(stride, heapBytes),
                                              std::clamp(box_.count32(Box::kInAlignment), 1U, 8U)));
  }

  /// The same of a record one of whose payloads is still where it comes from.
  napi_value publishAround(napi_env env, napi_callback_info info) {
    const Arguments<1> arguments(env, info);
    const std::uint32_t stride = writer_.header().geometry.recordStride;
    const std::uint64_t heapBytes = std::min(box_.count(Box::kInHeapBytes), scratchBytes_ - stride);
    const std::uint64_t before = std::min(box_.count(Box::kInInsertAt), heapBytes);
    const std::uint64_t bytes = box_.count(Box::kInInsertBytes);
    const std::span<const std::byte> payload = rawBytesOf(env, arguments[0]);
    // Memory that other threads share never shrinks, and no user code has run since it was measured.
    if (payload.size() < bytes) return toValue(env, Status::kBadField);
    const std::span<const std::byte> scratch(scratch_, scratchBytes_);
    const std::span<const std::byte> heap = scratch.subspan(stride, heapBytes);
    const std::span<const std::byte> pieces[]{heap.first(before), payload.first(bytes), heap.subspan(before)};
    return toValue(
        env, writer_.publishPieces(scratch.first(stride), pieces, std::clamp(box_.count32(Box::kInAlignment), 1U, 8U)));
  }

  napi_value openColumns(napi_env env, napi_callback_info info) {
    return columns_.openColumns(env, info, writer_, box_);
  }
  napi_value stepColumns(napi_env env, napi_callback_info) { return columns_.stepColumns(env, writer_, box_); }
  napi_value closeColumns(napi_env, napi_callback_info) {
    columns_.closeColumns();
    return nullptr;
  }
  napi_value encodeTexts(napi_env env, napi_callback_info info) { return columns_.encodeTexts(env, info); }

  napi_value awaitSpace(napi_env env, napi_callback_info) {
    const bool room = writer_.awaitSpace(std::chrono::milliseconds(box_.count32(Box::kInMillis)));
    if (wait::shuttingDown()) return toValue(env, Status::kClosed);
    return toValue(env, room ? Status::kOk : Status::kWouldBlock);
  }

  template <TextSink WriterHandle::*kSink, std::uint32_t (TextSink::*kPut)(napi_env, napi_value, std::uint64_t) const>
  napi_value putText(napi_env env, napi_callback_info info) {
    const Arguments<1> arguments(env, info);
    return toValue(env, ((this->*kSink).*kPut)(env, arguments[0], box_.count(Box::kInAt)));
  }

  template <TextSink WriterHandle::*kSink>
  napi_value putBytes(napi_env env, napi_callback_info info) {
    const Arguments<1> arguments(env, info);
    const double bytes = (this->*kSink).putBytes(env, arguments[0], box_.count(Box::kInAt), box_.count(Box::kInEnd));
    napi_value value = nullptr;
    napi_create_double(env, bytes, &value);
    return value;
  }

  napi_value spin(napi_env env, napi_callback_info) {
    napi_value value = nullptr;
    napi_get_boolean(env, writer_.spinForSpace(), &value);
    return value;
  }

  napi_value arm(napi_env, napi_callback_info) {
    armOn(writer_.spaceEvent());
    writer_.announceWait();
    return nullptr;
  }
  napi_value watch(napi_env, napi_callback_info) {
    armOn(writer_.spaceEvent());
    writer_.announceWatch();
    return nullptr;
  }
  napi_value disarmWait(napi_env, napi_callback_info) {
    disarm();
    return nullptr;
  }
  napi_value hasSpace(napi_env env, napi_callback_info) {
    napi_value value = nullptr;
    napi_get_boolean(env, writer_.hasSpace(), &value);
    return value;
  }

  napi_value claimSlots(napi_env env, napi_callback_info info) {
    const Arguments<1> arguments(env, info);
    std::uint64_t first = 0;
    const Status status = writer_.claimSlots(arguments.number(0), first);
    box_.set(Box::kOutSeq, first);
    return toValue(env, status);
  }
  napi_value commitSlots(napi_env env, napi_callback_info info) {
    const Arguments<2> arguments(env, info);
    return toValue(env, writer_.commitSlots(arguments.position(0), arguments.number(1)));
  }
  napi_value slotOffset(napi_env env, napi_callback_info info) {
    const Arguments<1> arguments(env, info);
    return toNumber(env, writer_.slotOffset(arguments.position(0)));
  }
  napi_value claimHeap(napi_env env, napi_callback_info info) {
    const Arguments<2> arguments(env, info);
    std::uint64_t offset = 0;
    const std::uint32_t alignment = std::clamp(arguments.number(1), 1U, 8U);
    const Status status = writer_.claimHeap(arguments.position(0), alignment, offset);
    box_.set(Box::kOutHeap, offset);
    return toValue(env, status);
  }
  napi_value commitHeap(napi_env env, napi_callback_info) { return toValue(env, writer_.commitHeap()); }

  napi_value begin(napi_env env, napi_callback_info) { return toValue(env, writer_.begin()); }
  napi_value finalize(napi_env env, napi_callback_info) { return toValue(env, writer_.finalize()); }
  napi_value abort(napi_env env, napi_callback_info info) {
    return toValue(env, writer_.abort(Arguments<1>(env, info).text(0)));
  }
  napi_value reset(napi_env env, napi_callback_info) { return toValue(env, writer_.reset()); }
  napi_value close(napi_env, napi_callback_info) {
    disarm();
    writer_.close();
    return nullptr;
  }
  napi_value state(napi_env env, napi_callback_info) { return toValue(env, writer_.state()); }
  napi_value abortReason(napi_env env, napi_callback_info) { return Napi::String::New(env, writer_.abortReason()); }
  napi_value stats(napi_env env, napi_callback_info) {
    const WriterStats stats = writer_.stats();
    Napi::Array numbers = Napi::Array::New(env);
    std::uint32_t at = 0;
    for (const std::uint64_t value :
         {stats.records, stats.bytes, stats.stalls, stats.stallNanos, stats.queueDepth, stats.consumerWaits}) {
      numbers[at++] = Napi::Number::New(env, static_cast<double>(value));
    }
    return numbers;
  }

  StrandWriter writer_;
  TextSink heap_;
  TextSink scratchHeap_;
  std::uint32_t* ends_ = nullptr;
  std::uint32_t maxRun_ = 0;
  std::byte* scratch_ = nullptr;
  std::uint64_t scratchBytes_ = 0;
  ColumnWrites columns_;
};

void WriterHandle::expose(Napi::Object object, Napi::Uint8Array memory) noexcept {
  const Geometry& geometry = writer_.header().geometry;
  keep(memory);
  object.Set("header", toObject(object.Env(), writer_.header()));
  box_.attach(buffer<double>(object, "box", static_cast<std::size_t>(Box::kSize)));
  maxRun_ = std::min(geometry.indexCapacity, kMaxRun);
  ends_ = buffer<std::uint32_t>(object, "ends", maxRun_);
  // The engine's zero byte behind a text has room, too.
  scratchBytes_ = geometry.recordStride + std::min<std::uint64_t>(geometry.heapCapacity, kScratchHeap) + 1;
  scratch_ = reinterpret_cast<std::byte*>(buffer<std::uint8_t>(object, "scratch", scratchBytes_));
  scratchHeap_.set(scratch_, geometry.recordStride, scratchBytes_);

  using W = WriterHandle;
  method<W, &W::reserve>(object, "reserve");
  method<W, &W::publish>(object, "publish");
  method<W, &W::abandon>(object, "abandon");
  method<W, &W::publishRecord>(object, "publishRecord");
  method<W, &W::publishAround>(object, "publishAround");
  method<W, &W::openColumns>(object, "openColumns");
  method<W, &W::stepColumns>(object, "stepColumns");
  method<W, &W::closeColumns>(object, "closeColumns");
  method<W, &W::encodeTexts>(object, "encodeTexts");
  method<W, &W::awaitSpace>(object, "awaitSpace");
  method<W, &W::putText<&W::heap_, &TextSink::putText>>(object, "putText");
  method<W, &W::putText<&W::heap_, &TextSink::putExactText>>(object, "putExactText");
  method<W, &W::putText<&W::scratchHeap_, &TextSink::putText>>(object, "putScratchText");
  method<W, &W::putBytes<&W::heap_>>(object, "putBytes");
  method<W, &W::putBytes<&W::scratchHeap_>>(object, "putScratchBytes");
  method<W, &W::spin>(object, "spin");
  method<W, &W::arm>(object, "arm");
  method<W, &W::watch>(object, "watch");
  method<W, &W::disarmWait>(object, "disarm");
  method<Handle, &Handle::fired>(object, "fired");
  method<W, &W::hasSpace>(object, "hasSpace");
  method<W, &W::claimSlots>(object, "claimSlots");
  method<W, &W::commitSlots>(object, "commitSlots");
  method<W, &W::slotOffset>(object, "slotOffset");
  method<W, &W::claimHeap>(object, "claimHeap");
  method<W, &W::commitHeap>(object, "commitHeap");
  method<W, &W::begin>(object, "begin");
  method<W, &W::finalize>(object, "finalize");
  method<W, &W::abort>(object, "abort");
  method<W, &W::reset>(object, "reset");
  method<W, &W::close>(object, "close");
  method<W, &W::state>(object, "state");
  method<W, &W::abortReason>(object, "abortReason");
  method<W, &W::stats>(object, "stats");
}

}  // namespace

Napi::Value openWriter(const Napi::CallbackInfo& info) {
  const std::uint32_t millis = info[1].IsNumber() ? info[1].As<Napi::Number>().Uint32Value() : 0;
  StrandWriter writer;
  Fault fault;
  const Status status = StrandWriter::attach(regionOf(info[0]), std::chrono::milliseconds(millis), writer, fault);
  if (!fault.ok()) return toFault(info.Env(), fault);
  if (status != Status::kOk) return Napi::Number::New(info.Env(), static_cast<double>(status));
  Napi::Object object = Napi::Object::New(info.Env());
  auto handle = std::make_unique<WriterHandle>(info.Env(), std::move(writer));
  handle->expose(object, info[0].As<Napi::Uint8Array>());
  handle.release()->own(object);
  return object;
}

}  // namespace strand::binding
