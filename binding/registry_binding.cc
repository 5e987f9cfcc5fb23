#include "registry_binding.h"

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

#include "handle.h"
#include "registry/registry_table.h"
#include "typed_array.h"
#include "wait/image.h"

namespace strand::binding {
namespace {

/// Keys of one scan at most, and the numbers that say what is known of each.
constexpr std::uint32_t kMaxFound = 1024;
constexpr std::uint32_t kFoundNumbers = 2;
constexpr std::uint32_t kMemberNumbers = 3;
/// A place in a scan as one number: the shard above the bucket.
constexpr std::uint64_t kPlaceUnit = std::uint64_t{1} << 32U;

/// One thread's place in a registry.
class RegistryHandle final : public Handle {
 public:
  RegistryHandle(Napi::Env env, napi_value bytes) noexcept : Handle(env), env_(env) {
    napi_create_reference(env, bytes, 1, &bytes_);
    const std::span<std::byte> memory = rawBytesOf(env, bytes);
    table_ = RegistryTable(memory.data(), memory.size());
  }
  ~RegistryHandle() override {
    leaveTable();
    napi_delete_reference(env_, bytes_);
  }
  RegistryHandle(const RegistryHandle&) = delete;
  RegistryHandle& operator=(const RegistryHandle&) = delete;

  void threadEnds() noexcept override { leaveTable(); }

  [[nodiscard]] RegistryTable& table() noexcept { return table_; }

  /// Once the table was joined.
  void listen() noexcept {
    wait::joinImage(table_.image());
    (void)armOn(table_.grants().address());
    changes_.emplace(environment(), table_.changes().address());
    wait::AsyncTable::instance().add(*changes_);
    table_.armChanges();
  }

  void expose(Napi::Object object) noexcept {
    box_.attach(buffer<double>(object, "box", static_cast<std::size_t>(Box::kSize)));
    found_ = buffer<double>(object, "found", std::size_t{kMaxFound} * kFoundNumbers);
    using R = RegistryHandle;
    method<R, &R::look>(object, "look");
    method<R, &R::claim>(object, "claim");
    method<R, &R::withdraw>(object, "withdraw");
    method<R, &R::nextGrant>(object, "nextGrant");
    method<R, &R::reserve>(object, "reserve");
    method<R, &R::publish>(object, "publish");
    method<R, &R::release>(object, "release");
    method<R, &R::accept>(object, "accept");
    method<R, &R::scan>(object, "scan");
    method<R, &R::members>(object, "members");
    method<R, &R::ready>(object, "ready");
    method<R, &R::resize>(object, "resize");
    method<R, &R::firedChanges>(object, "firedChanges");
    method<R, &R::firedGrants>(object, "firedGrants");
    method<R, &R::leave>(object, "leave");
  }

 private:
  [[nodiscard]] std::uint32_t ticket() const noexcept { return box_.count32(Box::kInTicket); }

  napi_value look(napi_env env, napi_callback_info) noexcept {
    RegistryTable::Look found;
    const RegistryStatus status = table_.look(box_.count(Box::kInKey), found);
    box_.set(Box::kOutVersion, found.version);
    box_.set(Box::kOutWriter, std::uint64_t{found.writer});
    return toValue(env, status);
  }

  napi_value claim(napi_env env, napi_callback_info) noexcept {
    std::uint32_t given = 0;
    const RegistryStatus status = table_.claim(box_.count(Box::kInKey), given);
    box_.set(Box::kOutTicket, std::uint64_t{given});
    return toValue(env, status);
  }

  napi_value withdraw(napi_env env, napi_callback_info) noexcept { return toValue(env, table_.withdraw(ticket())); }

  /// → the ticket, or 0
  napi_value nextGrant(napi_env env, napi_callback_info) noexcept { return toValue(env, table_.nextGrant()); }

  napi_value reserve(napi_env env, napi_callback_info) noexcept {
    RegistryTable::Reservation reserved;
    const RegistryStatus status = table_.reserve(ticket(), reserved);
    box_.set(Box::kOutVersion, reserved.version);
    box_.set(Box::kOutJoins, std::uint64_t{reserved.joins});
    box_.set(Box::kOutOthers, std::uint64_t{reserved.others});
    return toValue(env, status);
  }

  [[nodiscard]] RegistryTable::Reservation reservation() const noexcept {
    return {box_.count(Box::kInVersion), box_.count32(Box::kInJoins), 0};
  }
  [[nodiscard]] bool present() const noexcept { return box_.number(Box::kInPresent) != 0; }

  napi_value publish(napi_env env, napi_callback_info) noexcept {
    return toValue(env, table_.publish(ticket(), reservation(), present()));
  }

  napi_value accept(napi_env env, napi_callback_info) noexcept {
    bool counts = false;
    const RegistryStatus status =
        table_.accept(box_.count(Box::kInKey), reservation(), box_.count32(Box::kInWriter), present(), counts);
    box_.set(Box::kOutCount, std::uint64_t{counts ? 1U : 0U});
    return toValue(env, status);
  }

  napi_value release(napi_env env, napi_callback_info) noexcept { return toValue(env, table_.release(ticket())); }

  napi_value scan(napi_env env, napi_callback_info) noexcept {
    const std::uint64_t from = box_.count(Box::kInPlace);
    RegistryTable::ScanPlace place{static_cast<std::uint32_t>(from / kPlaceUnit),
                                   static_cast<std::uint32_t>(from % kPlaceUnit)};
    std::array<RegistryTable::Found, kMaxFound> found;
    std::uint32_t count = 0;
    const RegistryStatus status = table_.scan(place, found, count);
    double* out = found_;
    for (const RegistryTable::Found& one : std::span(found).first(count)) {
      *out++ = static_cast<double>(one.key);
      *out++ = static_cast<double>(one.version);
    }
    box_.set(Box::kOutCount, std::uint64_t{count});
    box_.set(Box::kOutPlace, place.shard * kPlaceUnit + place.bucket);
    return toValue(env, status);
  }

  /// members(into: Uint32Array): three numbers each; OUT_COUNT has how many there are
  napi_value members(napi_env env, napi_callback_info info) noexcept {
    const Arguments<1> arguments(env, info);
    const std::span<std::uint32_t> into = elementsOf<std::uint32_t>(env, arguments[0]);
    std::vector<RegistryTable::Member> found(into.size() / kMemberNumbers);
    std::uint32_t count = 0;
    const RegistryStatus status = table_.members(found, count);
    for (std::size_t i = 0; i < found.size() && i < count; ++i) {
      into[i * kMemberNumbers] = found[i].serial;
      into[i * kMemberNumbers + 1] = found[i].thread;
      into[i * kMemberNumbers + 2] = found[i].ready ? 1 : 0;
    }
    box_.set(Box::kOutCount, std::uint64_t{count});
    return toValue(env, status);
  }

  napi_value ready(napi_env, napi_callback_info) noexcept {
    table_.setReady();
    return nullptr;
  }

  /// → bytes of the memory as they are now
  napi_value resize(napi_env env, napi_callback_info) noexcept {
    noteSize();
    return toNumber(env, table_.size());
  }

  // Both arm themselves again: what happens behind them wakes the loop another time.

  napi_value firedChanges(napi_env env, napi_callback_info) noexcept {
    if (table_.joined()) table_.armChanges();
    napi_value value = nullptr;
    napi_get_boolean(env, changes_ && changes_->fired.exchange(false, std::memory_order_acquire), &value);
    return value;
  }

  napi_value firedGrants(napi_env env, napi_callback_info info) noexcept {
    if (table_.joined()) table_.armGrants();
    return fired(env, info);
  }

  napi_value leave(napi_env, napi_callback_info) noexcept {
    leaveTable();
    return nullptr;
  }

  /// Asks the engine, which alone knows.
  void noteSize() noexcept {
    napi_value bytes = nullptr;
    if (napi_get_reference_value(env_, bytes_, &bytes) != napi_ok || bytes == nullptr) return;
    table_.resize(rawBytesOf(env_, bytes).size());
  }

  void leaveTable() noexcept {
    disarm();
    if (changes_) {
      wait::AsyncTable::instance().remove(*changes_);
      changes_.reset();
    }
    if (!table_.joined()) return;
    napi_handle_scope scope = nullptr;
    if (napi_open_handle_scope(env_, &scope) == napi_ok) {
      noteSize();
      napi_close_handle_scope(env_, scope);
    }
    (void)table_.leave();
  }

  napi_env env_;
  napi_ref bytes_ = nullptr;
  RegistryTable table_;
  double* found_ = nullptr;
  std::optional<wait::AsyncWaiter> changes_;
};

/// registryBytes(keys) → bytes
Napi::Value registryBytes(const Napi::CallbackInfo& info) {
  double keys = 0;
  (void)napi_get_value_double(info.Env(), info[0], &keys);
  return {info.Env(), toNumber(info.Env(), RegistryTable::bytesFor(keys > 0 ? static_cast<std::uint64_t>(keys) : 0))};
}

/// initRegistry(bytes, id): zeroed memory, and 16 random bytes
void initRegistry(const Napi::CallbackInfo& info) {
  const std::span<std::byte> memory = rawBytesOf(info.Env(), info[0]);
  const std::span<const std::byte> id = rawBytesOf(info.Env(), info[1]);
  std::array<std::uint64_t, 2> words{};
  if (memory.size() < RegistryTable::kLeastBytes || id.size() < sizeof words) return;
  std::memcpy(words.data(), id.data(), sizeof words);
  RegistryTable(memory.data(), memory.size()).init(words[0], words[1]);
}

/// registryId(bytes) → its 16 random bytes; undefined for bytes that are no table
Napi::Value registryId(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::span<std::byte> memory = rawBytesOf(env, info[0]);
  if (!RegistryTable(memory.data(), memory.size()).valid()) return env.Undefined();
  constexpr std::size_t kIdBytes = 16;
  const auto id = Napi::Buffer<std::byte>::Copy(env, memory.data() + layout::kRegistryOffsetId, kIdBytes);
  return {env, static_cast<napi_value>(id)};
}

/// openRegistry(bytes, thread): of a table → registry, or why it cannot be joined
Napi::Value openRegistry(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::uint32_t thread = 0;
  (void)napi_get_value_uint32(env, info[1], &thread);
  auto handle = std::make_unique<RegistryHandle>(env, info[0]);
  RegistryTable& table = handle->table();
  const RegistryStatus status = table.valid() ? table.join(thread) : RegistryStatus::kCorrupt;
  if (status != RegistryStatus::kOk) return {env, toValue(env, status)};
  handle->listen();
  Napi::Object object = Napi::Object::New(env);
  handle->expose(object);
  object.Set("serial", Napi::Number::New(env, table.serial()));
  handle.release()->own(object);
  return object;
}

}  // namespace

void addRegistryFunctions(Napi::Object exports) noexcept {
  const Napi::Env env = exports.Env();
  exports.Set("registryBytes", Napi::Function::New<registryBytes>(env));
  exports.Set("initRegistry", Napi::Function::New<initRegistry>(env));
  exports.Set("registryId", Napi::Function::New<registryId>(env));
  exports.Set("openRegistry", Napi::Function::New<openRegistry>(env));
}

}  // namespace strand::binding
