// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cfenv>

namespace yoloq::calibrate::detail {

/// The default rounding mode, and subnormal numbers honoured, for the object's life: a runtime's
/// worker threads may flush them to zero, and results must not depend on the thread.
class DefaultFloatEnvironment {
 public:
  DefaultFloatEnvironment() {
    std::fegetenv(&before_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~DefaultFloatEnvironment() { std::fesetenv(&before_); }
  DefaultFloatEnvironment(const DefaultFloatEnvironment&) = delete;
  DefaultFloatEnvironment& operator=(const DefaultFloatEnvironment&) = delete;

 private:
  std::fenv_t before_;
};

}  // namespace yoloq::calibrate::detail
