// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

/// @file
/// Libraries that are opened while the program runs, so that it starts where they are missing.

namespace yoloq {

/// Open from here to the end of the program: what was found in it stays valid.
class SharedLibrary {
 public:
  /// Opens the first of `names` that is there, by run path, LD_LIBRARY_PATH or the system.
  ///
  /// @param whose   what stands in messages, such as "LibTorch's CUDA half".
  /// @param advice  what a user can do where it is missing.
  /// @throws Error(unsupported) if none is.
  SharedLibrary(std::string_view whose, std::initializer_list<const char*> names,
                std::string_view advice = "put its folder into LD_LIBRARY_PATH");

  /// A function by its C name.
  ///
  /// @throws Error(unsupported) if the library has none of it.
  template <typename Function>
  Function* find(const char* name) const {
    return reinterpret_cast<Function*>(address_of(name));
  }

 private:
  void* address_of(const char* name) const;

  std::string whose_;
  void* handle_ = nullptr;
};

}  // namespace yoloq
