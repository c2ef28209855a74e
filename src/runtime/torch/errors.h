// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/util/Exception.h>

#include <exception>
#include <new>
#include <string>
#include <string_view>

namespace yoloq::runtime::torch {

/// What LibTorch, or a library that it calls, says of an error; no stack.
inline std::string text_of(const std::exception& error) {
  const auto* const own = dynamic_cast<const c10::Error*>(&error);
  return own != nullptr ? own->what_without_backtrace() : error.what();
}

/// True if it says that memory could not be had, of a GPU or of the machine. Network::run() throws
/// such an error as it is: who gave the batch can give a smaller one.
inline bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return true;
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  const std::string text = text_of(error);
  // The last is oneDNN's, which has no memory for the code that it makes.
  for (const std::string_view sign : {"DefaultCPUAllocator", "could not create a primitive"}) {
    if (text.find(sign) != std::string::npos) return true;
  }
  return false;
}

}  // namespace yoloq::runtime::torch
