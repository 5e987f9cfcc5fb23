#include "view_binding.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <span>

#include "column_binding.h"
#include "convert.h"
#include "handle.h"
#include "ring/byte_run.h"
#include "ring/record_cursor.h"
#include "ring/record_snapshot.h"
#include "ring/strand_view.h"
#include "ring/text_stretch.h"
#include "scan_binding.h"
#include "typed_array.h"
#include "wait/shutdown.h"

namespace strand::binding {
namespace {

class ViewHandle final : public Handle {
 public:
  ViewHandle(Napi::Env env, StrandView view) noexcept : Handle(env), view_(std::move(view)) {}
  ~ViewHandle() override = default;

  void threadEnds() noexcept override {
    disarm();
    if (guards_ > 0) {
      view_.abandon("the reader's thread ended before the end of the stream");
    } else {
      view_.close();
    }
  }

  void expose(Napi::Object object, Napi::Uint8Array memory) noexcept;

 private:
  napi_value report(napi_env env, const WaitResult& result) {
    look();
    return toValue(env, result.progress);
  }

  napi_value check(napi_env env, napi_callback_info) { return report(env, view_.check(box_.count(Box::kInAfter))); }

  napi_value wait(napi_env env, napi_callback_info) {
    const auto slice = std::chrono::milliseconds(box_.count32(Box::kInMillis));
    const bool counted = box_.number(Box::kInAgain) != 0;
    WaitResult result = view_.wait(box_.count(Box::kInAfter), slice, counted);
    if (result.progress == Progress::kPending && wait::shuttingDown()) result.progress = Progress::kClosed;
    return report(env, result);
  }

  napi_value spin(napi_env env, napi_callback_info) { return report(env, view_.spin(box_.count(Box::kInAfter))); }

  napi_value enter(napi_env, napi_callback_info) {
    view_.enter();
    return nullptr;
  }

  void look() noexcept {
    const Window window = view_.window();
    box_.set(Box::kOutCommitted, window.committed);
    box_.set(Box::kOutWindow, window.start);
    box_.set(Box::kOutSafe, window.safeFrom);
    // As JavaScript sees them in an Int32Array; of the gate the low word.
    box_.set(Box::kOutEpoch, std::int64_t{static_cast<std::int32_t>(view_.epoch())});
    box_.set(Box::kOutGate, std::int64_t{static_cast<std::int32_t>(window.gate & 0xFFFFFFFF)});
  }

  napi_value refresh(napi_env env, napi_callback_info) {
    look();
    return toValue(env, view_.wasReset() ? view_.lost() : Status::kOk);
  }

  napi_value acknowledge(napi_env env, napi_callback_info) {
    const std::uint64_t upTo = box_.count(Box::kInUpTo);
    const Status status = box_.number(Box::kInToken) < 0
                              ? view_.acknowledge(upTo)
                              : view_.acknowledge(upTo, ConsumerToken::unpack(box_.count(Box::kInToken)));
    look();
    return toValue(env, status);
  }

  napi_value arm(napi_env, napi_callback_info) {
    if (!armed()) view_.countWait();
    armOn(view_.dataEvent());
    view_.announceWait();
    return nullptr;
  }
  napi_value disarmWait(napi_env, napi_callback_info) {
    disarm();
    return nullptr;
  }

  napi_value registerConsumer(napi_env env, napi_callback_info info) {
    const Arguments<2> arguments(env, info);
    ConsumerToken token;
    const Status status =
        view_.registerConsumer(static_cast<StartAt>(std::min(arguments.number(0), 2U)), arguments.position(1), token);
    box_.set(Box::kOutToken, token.packed());
    return toValue(env, status);
  }
  napi_value releaseConsumer(napi_env env, napi_callback_info info) {
    const Arguments<1> arguments(env, info);
    return toValue(env, view_.releaseConsumer(ConsumerToken::unpack(arguments.position(0))));
  }

  napi_value committedCount(napi_env env, napi_callback_info) { return toNumber(env, view_.committed()); }
  napi_value effectiveReadCursor(napi_env env, napi_callback_info) {
    return toNumber(env, view_.effectiveReadCursor());
  }
  napi_value status(napi_env env, napi_callback_info) { return toValue(env, view_.status()); }
  napi_value producerStatus(napi_env env, napi_callback_info) { return toValue(env, view_.producerStatus()); }
  napi_value errorReason(napi_env env, napi_callback_info) { return Napi::String::New(env, view_.errorReason()); }
  napi_value signalAbort(napi_env env, napi_callback_info info) {
    view_.signalAbort(Arguments<1>(env, info).text(0));
    return nullptr;
  }

  napi_value findFirst(napi_env env, napi_callback_info info) {
    const Arguments<2> arguments(env, info);
    std::int64_t found = -1;
    const Status status = view_.findFirst(arguments.number(0), numberOf(env, arguments[1]), found);
    box_.set(Box::kOutSeq, found);
    return toValue(env, status);
  }

  /// Only fields with text have a stretch; others are refused with "".
  [[nodiscard]] const Field* textField(std::uint32_t index) const noexcept {
    const std::span<const Field> fields = view_.schema().fields();
    if (index >= fields.size()) return nullptr;
    const FieldKind kind = fields[index].info().kind;
    return kind == FieldKind::kText || kind == FieldKind::kJson ? &fields[index] : nullptr;
  }

  napi_value stretchText(napi_env env) const noexcept {
    napi_value value = nullptr;
    if (stretch_.isAscii()) {
      napi_create_string_latin1(env, stretch_.ascii().data(), stretch_.ascii().size(), &value);
    } else {
      napi_create_string_utf16(env, stretch_.utf16().data(), stretch_.utf16().size(), &value);
    }
    return value;
  }

  napi_value gatherText(napi_env env, napi_callback_info info) {
    const Arguments<3> arguments(env, info);
    const Field* field = textField(arguments.number(0));
    const std::uint64_t seq = arguments.position(1);
    const std::uint64_t committed = view_.window().committed;
    box_.set(Box::kOutCount, std::uint64_t{0});
    if (field == nullptr || seq >= committed) return nullptr;
    const std::span<std::uint32_t> ends = wordsOf(env, arguments[2]);
    if (ends.empty()) return nullptr;
    const std::uint64_t most = std::min<std::uint64_t>(committed - seq, ends.size());
    const std::uint32_t count = stretch_.gather(view_, *field, seq, ends.first(most));
    box_.set(Box::kOutCount, std::uint64_t{count});
    return stretchText(env);
  }

  napi_value recordText(napi_env env, napi_callback_info info) {
    const Arguments<3> arguments(env, info);
    const Field* field = textField(arguments.number(0));
    const std::span<std::uint32_t> ends = wordsOf(env, arguments[2]);
    const std::span<const std::byte> record = bytesOf(Napi::Value(env, arguments[1]));
    const std::uint32_t stride = view_.schema().recordStride();
    if (field == nullptr || record.size() < stride || ends.empty()) return nullptr;
    stretch_.decode(RecordReader(record.first(stride), record.subspan(stride)), *field, ends.first(1));
    return stretchText(env);
  }

  napi_value snapshot(napi_env env, napi_callback_info info) {
    const Arguments<2> arguments(env, info);
    std::uint64_t bytes = 0;
    const Status status = snapshotRecord(view_, arguments.position(0), bytesOf(Napi::Value(env, arguments[1])), bytes);
    box_.set(Box::kOutBytes, bytes);
    return toValue(env, status);
  }

  napi_value filter(napi_env env, napi_callback_info info) {
    return filterWindow(env, view_, Arguments<1>(env, info)[0], box_);
  }

  napi_value ranges(napi_env env, napi_callback_info info) {
    const Arguments<3> arguments(env, info);
    return rangesOf(env, view_, {arguments.position(1), arguments.position(2)}, wordsOf(env, arguments[0]));
  }

  napi_value gatherColumns(napi_env env, napi_callback_info info) {
    return columns_.gatherColumns(env, info, view_, box_);
  }
  napi_value gatherPayloads(napi_env env, napi_callback_info info) {
    return columns_.gatherPayloads(env, info, view_, box_);
  }

  napi_value copyBytes(napi_env env, napi_callback_info info) {
    const Arguments<1> arguments(env, info);
    const std::span<std::byte> target = rawBytesOf(env, arguments[0]);
    const std::size_t at = std::min<std::size_t>(box_.count(Box::kInAt), target.size());
    const std::uint64_t end = std::min(box_.count(Box::kInUpTo), view_.window().committed);
    BytePlace place{box_.count(Box::kInFrom), box_.count(Box::kInSkip)};
    const Field& field = view_.schema().fields().front();
    const std::size_t copied = field.info().inHeap() ? copyByteRun(view_, field, end, place, target.subspan(at)) : 0;
    box_.set(Box::kOutSeq, place.seq);
    box_.set(Box::kOutSkip, place.skip);
    return toNumber(env, copied);
  }

  napi_value guard(napi_env env, napi_callback_info info) {
    guards_ += Arguments<1>(env, info).number(0) != 0 ? 1 : -1;
    return nullptr;
  }

  napi_value stats(napi_env env, napi_callback_info) {
    const ViewStats stats = view_.stats();
    Napi::Array numbers = Napi::Array::New(env);
    std::uint32_t at = 0;
    for (const std::uint64_t value : {stats.recordsProduced, stats.bytesProduced, stats.producerStalls,
                                      stats.producerStallNanos, stats.consumerWaits, stats.queueDepth}) {
      numbers[at++] = Napi::Number::New(env, static_cast<double>(value));
    }
    return numbers;
  }

  napi_value close(napi_env, napi_callback_info) {
    disarm();
    view_.close();
    return nullptr;
  }

  StrandView view_;
  TextStretch stretch_;
  ColumnReads columns_;
  /// Readers that the thread's end leaves the stream without.
  int guards_ = 0;
};

void ViewHandle::expose(Napi::Object object, Napi::Uint8Array memory) noexcept {
  keep(memory);
  object.Set("header", toObject(object.Env(), view_.header()));
  box_.attach(buffer<double>(object, "box", static_cast<std::size_t>(Box::kSize)));

  using V = ViewHandle;
  method<V, &V::check>(object, "check");
  method<V, &V::wait>(object, "wait");
  method<V, &V::spin>(object, "spin");
  method<V, &V::enter>(object, "enter");
  method<V, &V::refresh>(object, "refresh");
  method<V, &V::acknowledge>(object, "acknowledge");
  method<V, &V::arm>(object, "arm");
  method<V, &V::disarmWait>(object, "disarm");
  method<Handle, &Handle::fired>(object, "fired");
  method<V, &V::registerConsumer>(object, "registerConsumer");
  method<V, &V::releaseConsumer>(object, "releaseConsumer");
  method<V, &V::committedCount>(object, "committedCount");
  method<V, &V::effectiveReadCursor>(object, "effectiveReadCursor");
  method<V, &V::status>(object, "status");
  method<V, &V::producerStatus>(object, "producerStatus");
  method<V, &V::errorReason>(object, "errorReason");
  method<V, &V::signalAbort>(object, "signalAbort");
  method<V, &V::findFirst>(object, "findFirst");
  method<V, &V::gatherText>(object, "gatherText");
  method<V, &V::recordText>(object, "recordText");
  method<V, &V::snapshot>(object, "snapshot");
  method<V, &V::filter>(object, "filter");
  method<V, &V::ranges>(object, "ranges");
  method<V, &V::gatherColumns>(object, "gatherColumns");
  method<V, &V::gatherPayloads>(object, "gatherPayloads");
  method<V, &V::copyBytes>(object, "copyBytes");
  method<V, &V::guard>(object, "guard");
  method<V, &V::stats>(object, "stats");
  method<V, &V::close>(object, "close");
}

}  // namespace

Napi::Value openView(const Napi::CallbackInfo& info) {
  StrandView view;
  Fault fault;
  (void)StrandView::attach(regionOf(info[0]), view, fault);
  if (!fault.ok()) return toFault(info.Env(), fault);
  Napi::Object object = Napi::Object::New(info.Env());
  auto handle = std::make_unique<ViewHandle>(info.Env(), std::move(view));
  handle->expose(object, info[0].As<Napi::Uint8Array>());
  handle.release()->own(object);
  return object;
}

}  // namespace strand::binding
