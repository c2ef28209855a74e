// SPDX-License-Identifier: Apache-2.0
#include "onnx/detail/proto.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>

#include <cstdint>

#include "core/error.h"

namespace yoloq::onnx::detail {

namespace {

/// Bytes of the UTF-8 sequence that starts with `lead`; 0 if none does.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  if (lead >= 0xf0 && lead < 0xf5) return 4;
  return 0;
}

/// The code point of a sequence of `length` bytes; a surrogate or overlong form gives 0.
std::uint32_t code_point(std::string_view sequence) {
  if (sequence.size() == 1) return static_cast<unsigned char>(sequence[0]);
  std::uint32_t value = static_cast<unsigned char>(sequence[0]) & (0x7fU >> sequence.size());
  for (const char c : sequence.substr(1)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0U) != 0x80) return 0;
    value = value << 6 | (byte & 0x3fU);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value < 0xe000;
  return value < kSmallest[sequence.size()] || value > 0x10ffff || surrogate ? 0 : value;
}

}  // namespace

void decode(std::string_view bytes, google::protobuf::MessageLite& message, std::string_view what) {
  if (bytes.size() > kMaxBytes) {
    fail(ErrorCode::unsupported, "{} of {} bytes: at most 2 GiB can be read", what, bytes.size());
  }
  const google::protobuf::LogSilencer quiet;
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  stream.SetRecursionLimit(kMaxDepth);
  if (message.ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage()) return;
  fail(ErrorCode::corrupt_file,
       "these {} bytes are not {}: truncated, damaged, of another format, or nested deeper than {} "
       "messages",
       bytes.size(), what, kMaxDepth);
}

std::string encode(const google::protobuf::MessageLite& message) {
  if (message.ByteSizeLong() > kMaxBytes) {
    fail(ErrorCode::unsupported, "the model takes {} bytes, more than the 2 GiB of an ONNX file",
         message.ByteSizeLong());
  }
  const google::protobuf::LogSilencer quiet;
  return message.SerializeAsString();
}

bool is_text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(static_cast<unsigned char>(text[0]));
    if (length == 0 || length > text.size()) return false;
    const std::uint32_t code = code_point(text.substr(0, length));
    if (code < 0x20 || code == 0x7f) return false;
    text.remove_prefix(length);
  }
  return true;
}

void require_text(std::string_view name, std::string_view what) {
  if (is_text(name)) return;
  std::string shown;
  for (const char c : name.substr(0, 40)) shown += c >= 0x20 && c < 0x7f ? c : '?';
  fail(ErrorCode::corrupt_file, "{} '{}' is not printable UTF-8", what, shown);
}

}  // namespace yoloq::onnx::detail
