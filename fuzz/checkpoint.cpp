// SPDX-License-Identifier: Apache-2.0
// Reads the input as a checkpoint, or as the pickle of one where it is no zip archive, and writes
// the graph of whatever came out.
#include "checkpoint/checkpoint.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "checkpoint/detail/describe.h"
#include "core/error.h"
#include "graph/verify.h"
#include "model/emit.h"

namespace {

using namespace yoloq;

constexpr std::size_t kMaxStorage = 1 << 16;

/// As many bytes as the key says, each four of them the float 8: a usable stride, anchor and
/// weight.
std::string storage_of(std::string_view key) {
  std::size_t size = 0;
  std::from_chars(key.data(), key.data() + key.size(), size);
  std::string result(size < kMaxStorage ? size : 0, '\0');
  for (std::size_t i = 3; i < result.size(); i += 4) result[i] = 0x41;
  return result;
}

model::Description read(std::string bytes) {
  if (std::string_view(bytes).starts_with("PK")) return checkpoint::parse(std::move(bytes));
  const checkpoint::pickle::Document document(std::move(bytes));
  return checkpoint::describe(document, {.read = storage_of});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const model::Description description = read({reinterpret_cast<const char*>(data), size});
    verify(model::emit(description, {.head = model::Head::decoded}));
    verify(model::emit(description, {.batch = {}, .height = {}, .width = {}}));
  } catch (const Error&) {  // The one way in which bad input may end.
  }
  return 0;
}
