// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/checkpoint.h"

#include <utility>

#include "checkpoint/detail/archive.h"
#include "checkpoint/detail/describe.h"
#include "checkpoint/pickle.h"
#include "core/error.h"
#include "core/file.h"

namespace yoloq::checkpoint {

namespace {

/// Calls `act`; an error gets the path in front.
template <typename Act>
auto with_path(const std::filesystem::path& path, Act act) {
  try {
    return act();
  } catch (const Error& error) {
    throw error.within("while reading " + path.string());
  }
}

}  // namespace

model::Description parse(std::string bytes) {
  Archive archive(std::move(bytes));
  const pickle::Document document(archive.read("data.pkl"));
  const bool big_endian = archive.contains("byteorder") && archive.read("byteorder") == "big";
  const auto read = [&](std::string_view key) { return archive.read("data/" + std::string(key)); };
  return describe(document, {.read = read, .big_endian = big_endian});
}

model::Description read_model(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) {
    fail(ErrorCode::io, "{} is a folder; expected a checkpoint file (.pt)", path.string());
  }
  std::string bytes = read_file(path);
  return with_path(path, [&] { return parse(std::move(bytes)); });
}

graph::Graph load_graph(const std::filesystem::path& path, const model::EmitOptions& options) {
  const model::Description description = read_model(path);
  return with_path(path, [&] { return model::emit(description, options); });
}

}  // namespace yoloq::checkpoint
