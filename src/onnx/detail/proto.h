// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <onnx/onnx_pb.h>

#include <string>
#include <string_view>

/// @file
/// The protobuf messages of ONNX, and the two steps between them and bytes.

namespace yoloq::onnx::detail {

/// Messages nested deeper than this are refused, so that reading cannot exhaust the stack.
/// A subgraph takes three levels.
inline constexpr int kMaxDepth = 100;

/// The largest message that protobuf can write.
inline constexpr std::size_t kMaxBytes = 0x7fffffff;

/// Fills `message` from all of `bytes`.
///
/// @param what  "an ONNX model", for the error.
/// @throws Error(corrupt_file) if they are not such a message, Error(unsupported) above 2 GiB.
void decode(std::string_view bytes, google::protobuf::MessageLite& message, std::string_view what);

/// The bytes of `message`.
///
/// @throws Error(unsupported) above 2 GiB.
std::string encode(const google::protobuf::MessageLite& message);

/// True if `text` is UTF-8 without control characters: what a name must be, since protobuf's other
/// readers refuse anything else.
bool is_text(std::string_view text);

/// @throws Error(corrupt_file) with `what` if `name` is not text.
void require_text(std::string_view name, std::string_view what);

}  // namespace yoloq::onnx::detail
