// SPDX-License-Identifier: Apache-2.0
#include "coco/detail/blocks.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace yoloq::coco::detail {

namespace {

constexpr std::size_t kFirstWindow = 512;
constexpr std::size_t kLastWindow = std::size_t{1} << 20;
constexpr std::string_view kSpace = " \t\r\n";

/// The place in `text` of the first comma between '}' and '{'.
std::optional<std::size_t> find_cut(std::string_view text) {
  for (std::size_t brace = text.find('}'); brace != text.npos; brace = text.find('}', brace + 1)) {
    const std::size_t comma = text.find_first_not_of(kSpace, brace + 1);
    if (comma == text.npos || text[comma] != ',') continue;
    const std::size_t next = text.find_first_not_of(kSpace, comma + 1);
    if (next != text.npos && text[next] == '{') return comma;
  }
  return std::nullopt;
}

/// The first cut at or behind `offset`, looked for in windows of growing size.
std::optional<std::size_t> cut_behind(const ByteSource& source, std::size_t offset) {
  std::string window;
  for (std::size_t size = kFirstWindow; size <= kLastWindow; size *= 8) {
    window.resize(std::min(size, source.size() - offset));
    source.read(offset, window);
    if (const auto cut = find_cut(window)) return offset + *cut;
    if (offset + window.size() == source.size()) break;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::size_t> guess_cuts(const ByteSource& source, std::size_t block_size) {
  std::vector<std::size_t> cuts;
  for (std::size_t offset = block_size; offset < source.size(); offset += block_size) {
    if (!cuts.empty() && cuts.back() >= offset) continue;
    const auto cut = cut_behind(source, offset);
    if (!cut) break;
    cuts.push_back(*cut);
  }
  return cuts;
}

}  // namespace yoloq::coco::detail
