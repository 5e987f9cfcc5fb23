#include "log_binding.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "convert.h"
#include "handle.h"
#include "log/log_appender.h"
#include "log/log_reader.h"
#include "log/log_watch.h"
#include "typed_array.h"

namespace strand::binding {
namespace {

/// Frames of one call at most: what the arrays of a reader, and of a writer's batch, have room for.
constexpr std::uint32_t kMaxFrames = 4096;

/// One reader's place in a log.
class LogReaderHandle final : public Handle {
 public:
  LogReaderHandle(Napi::Env env, const std::shared_ptr<LogFile>& log, std::shared_ptr<LogWatch> watch) noexcept
      : Handle(env), reader_(std::in_place, log), watch_(std::move(watch)) {}
  ~LogReaderHandle() override { stopWaiting(); }
  LogReaderHandle(const LogReaderHandle&) = delete;
  LogReaderHandle& operator=(const LogReaderHandle&) = delete;

  void threadEnds() noexcept override { stopWaiting(); }

  void expose(Napi::Object object) noexcept {
    box_.attach(buffer<double>(object, "box", static_cast<std::size_t>(Box::kSize)));
    starts_ = buffer<std::uint32_t>(object, "starts", kMaxFrames);
    lengths_ = buffer<std::uint32_t>(object, "lengths", kMaxFrames);
    using R = LogReaderHandle;
    method<R, &R::read<&LogReader::next>>(object, "next");
    method<R, &R::read<&LogReader::previous>>(object, "previous");
    method<R, &R::seek>(object, "seek");
    method<R, &R::look>(object, "look");
    method<R, &R::arm>(object, "arm");
    method<R, &R::disarmWait>(object, "disarm");
    method<R, &R::close>(object, "close");
    method<Handle, &Handle::fired>(object, "fired");
  }

 private:
  using Read = LogStatus (LogReader::*)(const LogReader::Limits&, std::span<std::uint32_t>, std::span<std::uint32_t>,
                                        LogReader::Batch&) noexcept;

  template <Read kRead>
  napi_value read(napi_env env, napi_callback_info) noexcept {
    if (!reader_) return toValue(env, LogStatus::kClosed);
    const LogReader::Limits limits{box_.count32(Box::kInMessages), box_.count(Box::kInBytes),
                                   box_.number(Box::kInChecks) != 0};
    LogReader::Batch batch;
    const LogStatus status = ((*reader_).*kRead)(limits, {starts_, kMaxFrames}, {lengths_, kMaxFrames}, batch);
    box_.set(Box::kOutBase, batch.base);
    box_.set(Box::kOutBytes, batch.bytes);
    box_.set(Box::kOutCount, std::uint64_t{batch.count});
    box_.set(Box::kOutCursor, reader_->cursor());
    return toValue(env, status);
  }

  napi_value seek(napi_env env, napi_callback_info) {
    if (!reader_) return toValue(env, LogStatus::kClosed);
    const LogStatus status = reader_->seek(box_.count(Box::kInFrom));
    box_.set(Box::kOutCursor, reader_->cursor());
    return toValue(env, status);
  }

  /// → whether the next read has something to say
  napi_value look(napi_env env, napi_callback_info) {
    if (!reader_) return toValue(env, 0U);
    box_.set(Box::kOutCommitted, reader_->committed());
    box_.set(Box::kOutCursor, reader_->cursor());
    return toValue(env, reader_->ready() ? 1U : 0U);
  }

  napi_value arm(napi_env env, napi_callback_info) {
    if (watch_ != nullptr && armOn(watch_->address()) && !watch_->hold()) disarm();
    return toValue(env, armed() ? 1U : 0U);
  }
  napi_value disarmWait(napi_env, napi_callback_info) {
    stopWaiting();
    return nullptr;
  }

  /// Lets go of the file, however long the object itself lives.
  napi_value close(napi_env, napi_callback_info) {
    stopWaiting();
    watch_.reset();
    reader_.reset();
    return nullptr;
  }

  void stopWaiting() noexcept {
    if (!armed()) return;
    disarm();
    watch_->release();
  }

  /// Empty once it is closed.
  std::optional<LogReader> reader_;
  std::shared_ptr<LogWatch> watch_;
  std::uint32_t* starts_ = nullptr;
  std::uint32_t* lengths_ = nullptr;
};

/// An open log, and its writer where it is writable.
class LogHandle final : public Handle {
 public:
  LogHandle(Napi::Env env, std::shared_ptr<LogFile> log, std::optional<Durability> writer) noexcept
      : Handle(env), log_(std::move(log)), watch_(std::make_shared<LogWatch>(log_)) {
    if (writer) appender_ = std::make_unique<LogAppender>(log_, *writer);
  }
  ~LogHandle() override = default;
  LogHandle(const LogHandle&) = delete;
  LogHandle& operator=(const LogHandle&) = delete;

  /// The next writer need not wait for a collection.
  void threadEnds() noexcept override { appender_.reset(); }

  void expose(Napi::Object object) noexcept;

 private:
  napi_value committed(napi_env env, napi_callback_info) {
    return toNumber(env, log_ != nullptr ? log_->committed() : committed_);
  }

  /// Lets go of the file, however long the object itself lives.
  napi_value close(napi_env, napi_callback_info) {
    if (log_ == nullptr) return nullptr;
    committed_ = log_->committed();
    appender_.reset();
    watch_.reset();
    log_.reset();
    return nullptr;
  }

  /// Bytes of the mapping as an ArrayBuffer that keeps it: window(address, bytes) → ArrayBuffer | undefined
  /// It ends with the file, since who clones a Buffer copies all of its ArrayBuffer, and nothing lies behind the file.
  napi_value window(napi_env env, napi_callback_info info) {
    const Arguments<2> arguments(env, info);
    const std::uint64_t at = arguments.position(0);
    std::uint64_t bytes = arguments.position(1);
    if (log_ == nullptr) return nullptr;
    MappedFile& memory = log_->memory();
    if (bytes > memory.reserved() || at > memory.reserved() - bytes) return nullptr;
    if (!memory.reaches(at + bytes)) {
      const std::uint64_t end = std::min(memory.file().size(), memory.reserved());
      if (at >= end) return nullptr;
      bytes = std::min(bytes, end - at);
    }
    return toArrayBuffer(env, memory.data() + at, bytes, log_->pages());
  }

  /// copy(target, address) → status. The bytes are right only if it is OK.
  napi_value copy(napi_env env, napi_callback_info info) {
    const Arguments<2> arguments(env, info);
    const std::span<std::byte> target = rawBytesOf(env, arguments[0]);
    const std::uint64_t at = arguments.position(1);
    if (log_ == nullptr) return toValue(env, LogStatus::kClosed);
    const MappedFile& memory = log_->memory();
    if (target.size() > memory.reserved() || at > memory.reserved() - target.size()) {
      return toValue(env, LogStatus::kGone);
    }
    if (!target.empty()) std::memcpy(target.data(), memory.data() + at, target.size());
    return toValue(env, log_->gone() ? LogStatus::kGone : LogStatus::kOk);
  }

  /// frameAt(address) → bytes of its payload, or −1 where no committed or allocated frame is
  napi_value frameAt(napi_env env, napi_callback_info info) {
    const std::uint64_t at = Arguments<1>(env, info).position(0);
    napi_value none = nullptr;
    napi_create_double(env, -1.0, &none);
    if (log_ == nullptr) return none;
    catchUp();
    const std::uint64_t end = appender_ != nullptr ? appender_->end() : log_->committed();
    const FrameFormat& format = log_->format();
    std::uint64_t total = 0;
    if (log_->usable(end) && at >= log_->header().dataOffset && at < end) {
      total = format.totalAt(log_->data(), at, end);
    }
    if (total != 0 && format.loadTotal(log_->data() + at + total - format.width) != total) total = 0;
    return total == 0 || log_->gone() ? none : toNumber(env, total - format.overhead());
  }

  template <class Call>
  napi_value write(napi_env env, Call&& call) noexcept {
    if (appender_ == nullptr) return toValue(env, LogStatus::kClosed);
    catchUp();
    const LogStatus status = call(*appender_);
    // Room is what the next payload may take without asking.
    box_.set(Box::kOutNext, appender_->nextPayload());
    box_.set(Box::kOutRoom, appender_->room());
    return toValue(env, status);
  }

  /// TypeScript lays frames out by itself, and commits them.
  void catchUp() noexcept {
    const std::uint64_t next = box_.count(Box::kOutNext);
    const std::uint64_t lead = log_->format().lead();
    if (appender_ != nullptr && next >= lead) appender_->catchUp(next - lead);
  }

  napi_value wake(napi_env, napi_callback_info) {
    if (log_ == nullptr) return nullptr;
    if (const auto event = log_->event()) event->notify();
    return nullptr;
  }

  napi_value allocate(napi_env env, napi_callback_info) {
    return write(env, [this](LogAppender& appender) {
      std::uint64_t at = 0;
      const LogStatus status = appender.allocate(box_.count(Box::kInBytes), box_.number(Box::kInChecks) != 0, at);
      box_.set(Box::kOutBase, at);
      return status;
    });
  }
  napi_value commit(napi_env env, napi_callback_info) {
    return write(env, [](LogAppender& appender) { return appender.commit(); });
  }
  napi_value reserve(napi_env env, napi_callback_info) {
    return write(env, [this](LogAppender& appender) {
      return appender.reserve(box_.count(Box::kInBytes), box_.count(Box::kInMessages));
    });
  }
  napi_value adopt(napi_env env, napi_callback_info) {
    return write(env, [this](LogAppender& appender) {
      return appender.adopt({lengths_, std::min(box_.count32(Box::kInMessages), kMaxFrames)});
    });
  }
  napi_value flush(napi_env env, napi_callback_info) {
    return write(env, [](LogAppender& appender) { return appender.flush(); });
  }
  napi_value closeWriter(napi_env env, napi_callback_info) {
    return write(env, [](LogAppender& appender) { return appender.close(); });
  }
  napi_value faultMessage(napi_env env, napi_callback_info) {
    return Napi::String::New(env, appender_ == nullptr ? std::string() : appender_->fault().message);
  }
  /// → undefined of a closed log
  napi_value openReader(napi_env env, napi_callback_info) {
    if (log_ == nullptr) return nullptr;
    Napi::Object object = Napi::Object::New(env);
    auto handle = std::make_unique<LogReaderHandle>(env, log_, watch_);
    handle->expose(object);
    handle.release()->own(object);
    return object;
  }

  /// Null once it is closed.
  std::shared_ptr<LogFile> log_;
  std::shared_ptr<LogWatch> watch_;
  std::unique_ptr<LogAppender> appender_;
  /// Where the frames ended then.
  std::uint64_t committed_ = 0;
  std::uint32_t* lengths_ = nullptr;
};

void LogHandle::expose(Napi::Object object) noexcept {
  const Napi::Env env = object.Env();
  const auto set = [&](const char* name, std::uint64_t value) {
    object.Set(name, Napi::Number::New(env, static_cast<double>(value)));
  };
  const LogHeader& header = log_->header();
  set("headerSize", header.headerSize);
  set("dataOffset", header.dataOffset);
  set("lead", header.format.lead());
  set("overhead", header.format.overhead());
  set("maxPayload", header.format.maxPayload());
  set("maxCapacity", header.maxCapacity);
  set("reserved", log_->memory().reserved());
  set("maxFrames", kMaxFrames);
  set("sizeAt", layout::kLogOffsetSize);
  object.Set("waitersAt", Napi::Number::New(env, header.extended ? layout::kLogOffsetEvent + 4.0 : -1.0));
  object.Set("checked", Napi::Boolean::New(env, header.format.checked));
  object.Set("identity", Napi::BigInt::New(env, header.identity));
  object.Set("commitsInMemory", Napi::Boolean::New(env, appender_ != nullptr && appender_->commitsInMemory()));
  box_.attach(buffer<double>(object, "box", static_cast<std::size_t>(Box::kSize)));
  if (appender_ != nullptr) lengths_ = buffer<std::uint32_t>(object, "lengths", kMaxFrames);

  using L = LogHandle;
  method<L, &L::committed>(object, "committed");
  method<L, &L::window>(object, "window");
  method<L, &L::copy>(object, "copy");
  method<L, &L::frameAt>(object, "frameAt");
  method<L, &L::allocate>(object, "allocate");
  method<L, &L::commit>(object, "commit");
  method<L, &L::reserve>(object, "reserve");
  method<L, &L::adopt>(object, "adopt");
  method<L, &L::flush>(object, "flush");
  method<L, &L::wake>(object, "wake");
  method<L, &L::closeWriter>(object, "closeWriter");
  method<L, &L::faultMessage>(object, "faultMessage");
  method<L, &L::openReader>(object, "openReader");
  method<L, &L::close>(object, "close");
}

std::uint64_t countOf(const Napi::Object& options, const char* name) noexcept {
  const Napi::Value value = options.Get(name);
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0;
  return number > 0 ? static_cast<std::uint64_t>(number) : 0;
}

bool flagOf(const Napi::Object& options, const char* name) noexcept {
  const Napi::Value value = options.Get(name);
  return value.IsBoolean() && value.As<Napi::Boolean>().Value();
}

/// As TypeScript passes it: milliseconds, 0 for `commit`, less for `none`.
Durability durabilityOf(const Napi::Object& options) noexcept {
  const Napi::Value value = options.Get("durability");
  const double millis = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (millis < 0) return {};
  if (millis == 0) return {Durability::Kind::kCommit, {}};
  return {Durability::Kind::kEvery, std::chrono::milliseconds(static_cast<std::int64_t>(millis))};
}

}  // namespace

Napi::Value openLog(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  const bool writable = flagOf(options, "writable");
  Fault fault;
  const Napi::Value path = options.Get("path");
  LogOptions wanted;
  wanted.path = path.IsString() ? path.As<Napi::String>().Utf8Value() : std::string();
  wanted.writable = writable;
  wanted.capacity = countOf(options, "capacity");
  wanted.maxCapacity = countOf(options, "maxCapacity");
  wanted.maxFrameBytes = countOf(options, "maxFrameBytes");
  wanted.checksum = flagOf(options, "checksum");
  std::shared_ptr<LogFile> log = LogFile::open(wanted, fault);
  if (!fault.ok()) return toFault(info.Env(), fault);
  Napi::Object object = Napi::Object::New(info.Env());
  auto handle = std::make_unique<LogHandle>(info.Env(), std::move(log),
                                            writable ? std::optional(durabilityOf(options)) : std::nullopt);
  handle->expose(object);
  handle.release()->own(object);
  return object;
}

}  // namespace strand::binding
