// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace yoloq {

/// What went wrong, as far as a caller may want to act on it.
enum class ErrorCode {
  bad_argument,  ///< A value or option that the user gave cannot be used.
  bad_usage,     ///< The command line itself is wrong: unknown flag, missing argument.
  not_found,     ///< A file, folder, layer or name does not exist.
  corrupt_file,  ///< A file's content breaks its format or contradicts itself.
  unsupported,   ///< Well formed, but outside what yoloq can do.
  bad_state,     ///< Called too early, e.g. a range before any value was observed.
  io,            ///< The operating system refused: permissions, full disk, broken pipe.
  bad_value,     ///< A computed value is NaN or infinite.
  diverged,      ///< An engine's output differs from its reference.
  below_target,  ///< A measured result is below what was asked for.
  backend,       ///< A runtime (OpenVINO, TensorRT, ...) failed.
  cancelled,     ///< The user interrupted.
};

/// The only exception that yoloq throws.
///
/// A message says what was wrong, where, what was expected, and what to do.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  ErrorCode code() const noexcept { return code_; }

  /// The same error, with what the caller knows in front: "while reading best.onnx: ...".
  Error within(const std::string& context) const { return {code_, context + ": " + what()}; }

 private:
  ErrorCode code_;
};

/// Throws Error(code) with a message in fmt's syntax.
template <typename... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace yoloq
