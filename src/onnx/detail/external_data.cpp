// SPDX-License-Identifier: Apache-2.0
#include "onnx/detail/external_data.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/error.h"

namespace yoloq::onnx::detail {

namespace {

namespace fs = std::filesystem;

/// Where the data of one tensor is.
struct Location {
  fs::path file;
  std::uintmax_t offset = 0;
  std::optional<std::uintmax_t> length;
};

std::uintmax_t to_number(const std::string& key, const std::string& text) {
  std::uintmax_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (status == std::errc() && stop == end) return value;
  fail(ErrorCode::corrupt_file, "the {} '{}' of its external data is not a number", key, text);
}

/// The file inside `folder` that `location` means.
fs::path inside(const fs::path& folder, const fs::path& location) {
  std::error_code status;
  const fs::path root = fs::weakly_canonical(folder, status);
  const fs::path file = fs::weakly_canonical(root / location, status);
  const fs::path relative = file.lexically_relative(root);
  if (location.is_absolute() || status || relative.empty() || *relative.begin() == "..") {
    fail(ErrorCode::corrupt_file, "its external data '{}' lies outside the model's folder",
         location.string());
  }
  if (!fs::exists(file, status)) {
    fail(ErrorCode::not_found, "its external data '{}' is missing; it belongs beside the model",
         file.string());
  }
  if (!fs::is_regular_file(file, status)) {
    fail(ErrorCode::corrupt_file, "its external data '{}' is not a file", file.string());
  }
  return file;
}

/// Reads tensors from files, keeping count of the bytes.
class Loader {
 public:
  explicit Loader(fs::path folder) : folder_(std::move(folder)) {}

  void load(::onnx::TensorProto& tensor) {
    if (tensor.data_location() != ::onnx::TensorProto::EXTERNAL) return;
    try {
      if (folder_.empty()) {
        fail(ErrorCode::unsupported, "its data is outside the model: read it from its folder");
      }
      *tensor.mutable_raw_data() = read(locate(tensor));
    } catch (const Error& error) {
      throw error.within("tensor '" + (is_text(tensor.name()) ? tensor.name() : "?") + "'");
    }
    tensor.clear_external_data();
    tensor.clear_data_location();
  }

  std::vector<fs::path> take_files() { return std::move(files_); }

 private:
  Location locate(const ::onnx::TensorProto& tensor) {
    std::map<std::string, std::string> entries;
    for (const auto& entry : tensor.external_data()) entries[entry.key()] = entry.value();
    if (entries["location"].empty() || !is_text(entries["location"])) {
      fail(ErrorCode::corrupt_file, "its external data has no location");
    }
    Location location{inside(folder_, entries["location"]), 0, std::nullopt};
    if (std::ranges::find(files_, location.file) == files_.end()) files_.push_back(location.file);
    if (entries.contains("offset")) location.offset = to_number("offset", entries["offset"]);
    if (entries.contains("length")) location.length = to_number("length", entries["length"]);
    return location;
  }

  std::string read(const Location& location) {
    const std::uintmax_t size = fs::file_size(location.file);
    const std::uintmax_t rest = size - std::min(location.offset, size);
    const std::uintmax_t length = location.length.value_or(rest);
    if (location.offset > size || length > rest) {
      fail(ErrorCode::corrupt_file, "its external data is bytes {} to {} of '{}', which has {}",
           location.offset, location.offset + length, location.file.string(), size);
    }
    total_ += length;
    if (total_ > kMaxBytes) {
      fail(ErrorCode::unsupported, "the external data of the model exceeds 2 GiB");
    }
    std::ifstream stream(location.file, std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(location.offset));
    std::string bytes(length, '\0');
    if (stream.read(bytes.data(), static_cast<std::streamsize>(length))) return bytes;
    fail(ErrorCode::io, "cannot read its external data '{}'", location.file.string());
  }

  fs::path folder_;
  std::vector<fs::path> files_;
  std::uintmax_t total_ = 0;
};

void load_nodes(Loader& loader, google::protobuf::RepeatedPtrField<::onnx::NodeProto>& nodes);

void load_sparse(Loader& loader, ::onnx::SparseTensorProto& sparse) {
  loader.load(*sparse.mutable_values());
  loader.load(*sparse.mutable_indices());
}

void load_graph(Loader& loader, ::onnx::GraphProto& graph) {
  for (auto& tensor : *graph.mutable_initializer()) loader.load(tensor);
  for (auto& sparse : *graph.mutable_sparse_initializer()) load_sparse(loader, sparse);
  load_nodes(loader, *graph.mutable_node());
}

void load_attribute(Loader& loader, ::onnx::AttributeProto& attribute) {
  if (attribute.has_t()) loader.load(*attribute.mutable_t());
  if (attribute.has_g()) load_graph(loader, *attribute.mutable_g());
  if (attribute.has_sparse_tensor()) load_sparse(loader, *attribute.mutable_sparse_tensor());
  for (auto& tensor : *attribute.mutable_tensors()) loader.load(tensor);
  for (auto& graph : *attribute.mutable_graphs()) load_graph(loader, graph);
  for (auto& sparse : *attribute.mutable_sparse_tensors()) load_sparse(loader, sparse);
}

void load_nodes(Loader& loader, google::protobuf::RepeatedPtrField<::onnx::NodeProto>& nodes) {
  for (auto& node : nodes) {
    for (auto& attribute : *node.mutable_attribute()) load_attribute(loader, attribute);
  }
}

}  // namespace

std::vector<fs::path> load_external_data(::onnx::ModelProto& model, const fs::path& folder) {
  Loader loader(folder);
  if (model.has_graph()) load_graph(loader, *model.mutable_graph());
  for (auto& function : *model.mutable_functions()) load_nodes(loader, *function.mutable_node());
  for (auto& training : *model.mutable_training_info()) {
    if (training.has_initialization()) load_graph(loader, *training.mutable_initialization());
    if (training.has_algorithm()) load_graph(loader, *training.mutable_algorithm());
  }
  return loader.take_files();
}

}  // namespace yoloq::onnx::detail
