// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/util/Exception.h>

#include <string_view>

namespace yoloq::runtime::torch {

/// True if it says that memory could not be had, of a GPU or of the machine. Network::run() throws
/// such an error as it is: who gave the batch can give a smaller one.
inline bool is_out_of_memory(const c10::Error& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return true;
  return std::string_view(error.what_without_backtrace()).find("DefaultCPUAllocator") !=
         std::string_view::npos;
}

}  // namespace yoloq::runtime::torch
