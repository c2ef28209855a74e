// SPDX-License-Identifier: Apache-2.0
#include "support/npz.h"

#include <zip.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <sstream>
#include <string_view>

#include "core/error.h"

namespace yoloq::test {

namespace {

constexpr std::size_t kMagicBytes = 8;  // "\x93NUMPY", then the version in two bytes.

struct TypeName {
  std::string_view numpy;
  DType dtype;
};
constexpr std::array<TypeName, 8> kTypes{{{"<f4", DType::f32},
                                          {"<f8", DType::f64},
                                          {"<f2", DType::f16},
                                          {"|u1", DType::u8},
                                          {"|i1", DType::i8},
                                          {"<i4", DType::i32},
                                          {"<i8", DType::i64},
                                          {"|b1", DType::boolean}}};

/// What follows `key` in a header such as {'descr': '<f4', 'fortran_order': False, 'shape': (3,)}.
std::string_view after(std::string_view header, std::string_view key) {
  const std::size_t at = header.find(key);
  if (at == std::string_view::npos) fail(ErrorCode::corrupt_file, "no {} in a .npy header", key);
  return header.substr(at + key.size());
}

Shape parse_shape(std::string_view header) {
  std::string_view list = after(header, "'shape': (");
  list = list.substr(0, list.find(')'));
  Shape shape;
  std::istringstream items{std::string(list)};
  for (std::string item; std::getline(items, item, ',');) {
    if (item.find_first_of("0123456789") != std::string::npos) shape.push_back(std::stoll(item));
  }
  return shape;
}

std::optional<Tensor> parse_npy(std::string_view bytes) {
  const bool is_npy = bytes.size() > kMagicBytes + 4 && bytes.starts_with("\x93NUMPY");
  if (!is_npy) fail(ErrorCode::corrupt_file, "not a .npy array");
  const std::size_t length_bytes = bytes[6] == 1 ? 2 : 4;
  std::uint32_t header_size = 0;
  std::memcpy(&header_size, bytes.data() + kMagicBytes, length_bytes);
  const std::size_t begin = kMagicBytes + length_bytes;
  const std::string_view header = bytes.substr(begin, header_size);
  if (after(header, "'fortran_order': ").starts_with("True")) {
    fail(ErrorCode::unsupported, "an array in Fortran order");
  }
  const std::string_view descr = after(header, "'descr': '");
  for (const TypeName& type : kTypes) {
    if (!descr.starts_with(type.numpy)) continue;
    const std::string_view data = bytes.substr(begin + header_size);
    return Tensor(type.dtype, parse_shape(header), std::as_bytes(std::span(data)));
  }
  return std::nullopt;
}

std::string read_entry(zip_t* archive, zip_uint64_t index) {
  zip_stat_t about;
  if (zip_stat_index(archive, index, 0, &about) != 0) fail(ErrorCode::corrupt_file, "bad entry");
  std::string bytes(about.size, '\0');
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> entry(zip_fopen_index(archive, index, 0),
                                                                &zip_fclose);
  const auto wanted = static_cast<zip_int64_t>(bytes.size());
  if (!entry || zip_fread(entry.get(), bytes.data(), bytes.size()) != wanted) {
    fail(ErrorCode::corrupt_file, "cannot unpack '{}'", about.name);
  }
  return bytes;
}

}  // namespace

std::map<std::string, Tensor> read_npz(const std::filesystem::path& path) {
  int code = 0;
  const std::unique_ptr<zip_t, void (*)(zip_t*)> archive(zip_open(path.c_str(), ZIP_RDONLY, &code),
                                                         &zip_discard);
  if (!archive) fail(ErrorCode::not_found, "cannot open '{}'", path.string());

  std::map<std::string, Tensor> arrays;
  const auto count = static_cast<zip_uint64_t>(zip_get_num_entries(archive.get(), 0));
  for (zip_uint64_t i = 0; i < count; ++i) {
    const std::filesystem::path name = zip_get_name(archive.get(), i, 0);
    if (auto array = parse_npy(read_entry(archive.get(), i))) {
      arrays.emplace(name.stem().string(), *std::move(array));
    }
  }
  return arrays;
}

}  // namespace yoloq::test
