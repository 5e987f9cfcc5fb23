#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace strand {

/// What kind of refusal a cold function answers with. The binding turns each into its JavaScript class.
enum class FaultCode : std::uint8_t {
  kNone,
  kType,    ///< an argument of the wrong kind
  kRange,   ///< a value outside its limits
  kHeader,  ///< a buffer, geometry or header that is no valid strand
  kFile,    ///< a file that the system does not give
  kFormat,  ///< a file that holds something else
  kLocked,  ///< a file that another process or thread writes to
  kBusy,    ///< somebody else did not let go in time
};

/// Refusal of a cold function, with a message that names the thing, the limit and the remedy.
struct Fault {
  FaultCode code = FaultCode::kNone;
  std::string message;

  [[nodiscard]] bool ok() const noexcept { return code == FaultCode::kNone; }

  static Fault none() noexcept { return {}; }
  static Fault type(std::string message) noexcept { return {FaultCode::kType, std::move(message)}; }
  static Fault range(std::string message) noexcept { return {FaultCode::kRange, std::move(message)}; }
  static Fault header(std::string message) noexcept { return {FaultCode::kHeader, std::move(message)}; }
  static Fault file(std::string message) noexcept { return {FaultCode::kFile, std::move(message)}; }
  static Fault format(std::string message) noexcept { return {FaultCode::kFormat, std::move(message)}; }
  static Fault locked(std::string message) noexcept { return {FaultCode::kLocked, std::move(message)}; }
  static Fault busy(std::string message) noexcept { return {FaultCode::kBusy, std::move(message)}; }
};

}  // namespace strand
