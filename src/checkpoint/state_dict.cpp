// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/state_dict.h"

#include <cstdint>
#include <set>
#include <string_view>

#include "checkpoint/detail/archive.h"
#include "checkpoint/detail/tensors.h"
#include "checkpoint/detail/zip_archive.h"
#include "checkpoint/pickle.h"
#include "core/error.h"
#include "core/file.h"

namespace yoloq::checkpoint {

namespace fs = std::filesystem;

namespace {

/// The folder in the archive that holds everything.
constexpr std::string_view kFolder = "archive/";

constexpr std::string_view kOrderedDict = "ccollections\nOrderedDict\n)R";  // OrderedDict()
constexpr std::string_view kRebuildTensor = "ctorch._utils\n_rebuild_tensor_v2\n";

std::string_view storage_class(const NamedTensor& entry) {
  switch (entry.tensor.dtype()) {
    case DType::f32:
      return "FloatStorage";
    case DType::f16:
      return "HalfStorage";
    case DType::i64:
      return "LongStorage";
    default:
      fail(ErrorCode::unsupported, "'{}' is {}; a state_dict holds f32, f16 and i64", entry.name,
           name_of(entry.tensor.dtype()));
  }
}

void append_bytes(std::string& pickle, std::uint64_t value, int count) {
  for (int i = 0; i < count; ++i) pickle += static_cast<char>(value >> (8 * i) & 0xff);
}

void append_number(std::string& pickle, std::int64_t value) {
  pickle += "\x8a\x08";  // LONG1: eight bytes, two's complement.
  append_bytes(pickle, static_cast<std::uint64_t>(value), 8);
}

void append_text(std::string& pickle, std::string_view text) {
  pickle += 'X';  // BINUNICODE
  append_bytes(pickle, text.size(), 4);
  pickle += text;
}

void append_numbers(std::string& pickle, const Shape& values) {
  pickle += '(';  // MARK ... TUPLE
  for (const std::int64_t value : values) append_number(pickle, value);
  pickle += 't';
}

Shape dense_strides(const Shape& sizes) {
  Shape strides(sizes.size(), 1);
  for (std::size_t i = sizes.size(); i-- > 1;) strides[i - 1] = strides[i] * sizes[i];
  return strides;
}

/// _rebuild_tensor_v2(storage, 0, sizes, strides, requires_grad=False, hooks=OrderedDict())
void append_tensor(std::string& pickle, const NamedTensor& entry, std::string_view key) {
  pickle += kRebuildTensor;
  pickle += "((";
  append_text(pickle, "storage");
  pickle.append("ctorch\n").append(storage_class(entry)).append("\n");
  append_text(pickle, key);
  append_text(pickle, "cpu");
  append_number(pickle, static_cast<std::int64_t>(entry.tensor.size()));
  pickle += "tQ";  // TUPLE, BINPERSID
  append_number(pickle, 0);
  append_numbers(pickle, entry.tensor.shape());
  append_numbers(pickle, dense_strides(entry.tensor.shape()));
  pickle += '\x89';  // NEWFALSE
  pickle += kOrderedDict;
  pickle += "tR";  // TUPLE, REDUCE
}

std::string pickle_of(std::span<const NamedTensor> tensors) {
  std::string pickle = "\x80\x02";  // PROTO 2
  pickle += kOrderedDict;
  pickle += '(';
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    append_text(pickle, tensors[i].name);
    append_tensor(pickle, tensors[i], std::to_string(i));
  }
  return pickle += "u.";  // SETITEMS, STOP
}

void check_names(std::span<const NamedTensor> tensors) {
  std::set<std::string_view> names;
  for (const NamedTensor& entry : tensors) {
    if (entry.name.empty()) fail(ErrorCode::bad_argument, "a tensor of a state_dict has no name");
    if (!names.insert(entry.name).second) {
      fail(ErrorCode::bad_argument, "a state_dict cannot hold '{}' twice", entry.name);
    }
  }
}

std::vector<NamedTensor> parse_state_dict(std::string bytes) {
  Archive archive(std::move(bytes));
  const pickle::Document document(archive.read("data.pkl"));
  const pickle::View root(document, document.root());
  if (!root.is_dict()) {
    fail(ErrorCode::unsupported, "it holds {}; expected a dict of tensors", root.describe());
  }
  Tensors tensors(
      {.read = [&](std::string_view key) { return archive.read("data/" + std::string(key)); },
       .big_endian = archive.contains("byteorder") && archive.read("byteorder") == "big"});
  std::vector<NamedTensor> result;
  for (std::size_t i = 0; i < root.size(); ++i) {
    const auto name = root.key(i).text();
    if (!name || !Tensors::is_tensor(root.value(i))) {
      fail(ErrorCode::unsupported,
           "its entry {} is {}; expected a dict of tensors, each by its name",
           name ? std::string(*name) : root.key(i).describe(), root.value(i).describe());
    }
    result.push_back({std::string(*name), tensors.read(root.value(i))});
  }
  return result;
}

}  // namespace

void write_state_dict(const fs::path& path, std::span<const NamedTensor> tensors) {
  check_names(tensors);
  const std::string pickle = pickle_of(tensors);
  const auto in_folder = [](std::string_view name) { return std::string(kFolder).append(name); };
  const auto text = [](std::string_view content) { return std::as_bytes(std::span(content)); };
  std::vector<ZipEntry> entries{{in_folder("data.pkl"), text(pickle)},
                                {in_folder("byteorder"), text("little")}};
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    entries.push_back({in_folder("data/" + std::to_string(i)), tensors[i].tensor.bytes()});
  }
  entries.push_back({in_folder("version"), text("3\n")});
  write_file(path, aligned_archive(entries));
}

std::vector<NamedTensor> read_state_dict(const fs::path& path) {
  try {
    return parse_state_dict(read_file(path));
  } catch (const Error& error) {
    const bool named = std::string_view(error.what()).find(path.string()) != std::string_view::npos;
    throw named ? error : error.within(path.string());
  }
}

}  // namespace yoloq::checkpoint
