// SPDX-License-Identifier: Apache-2.0
#include "coco/detail/read_blocks.h"

#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <array>
#include <atomic>
#include <optional>
#include <string>

#include "coco/detail/blocks.h"
#include "coco/detail/json.h"

namespace yoloq::coco::detail {

namespace {

Detection to_detection(ondemand::object object, const Place& place) {
  static constexpr std::array<std::string_view, 4> kNames{"image_id", "category_id", "bbox",
                                                          "score"};
  Detection detection;
  read_record(object, kNames, kNames.size(), place, [&](std::size_t which, ondemand::value field) {
    switch (which) {
      case 0:
        detection.image_id = to_integer(field, place, kNames[0]);
        break;
      case 1:
        detection.category_id = to_integer(field, place, kNames[1]);
        break;
      case 2:
        detection.bbox = to_box(field, place, kNames[2]);
        break;
      default:
        detection.score = to_number(field, place, kNames[3]);
    }
  });
  return detection;
}

/// Reads one list after another, keeping its memory.
class ListReader {
 public:
  /// The list that `source` holds between two places, in brackets of its own where it is cut.
  std::vector<Detection> read(const ByteSource& source, std::size_t begin, std::size_t end) {
    const std::size_t size = end - begin;
    text_.resize(1 + size + 1 + simdjson::SIMDJSON_PADDING);
    const bool cut_before = begin > 0;
    const bool cut_behind = end < source.size();
    text_[0] = '[';
    source.read(begin, std::span(text_).subspan(1, size));
    text_[1 + size] = ']';
    const std::size_t first = cut_before ? 0 : 1;
    return parse(first, 1 + size + (cut_behind ? 1 : 0) - first);
  }

 private:
  std::vector<Detection> parse(std::size_t begin, std::size_t size) {
    ondemand::document document;
    const simdjson::padded_string_view view(text_.data() + begin, size, text_.size() - begin);
    if (const auto error = parser_.iterate(view).get(document)) fail_json(error);
    ondemand::array list;
    if (const auto error = document.get_array().get(list)) {
      if (error != simdjson::INCORRECT_TYPE) fail_json(error);
      fail(ErrorCode::corrupt_file, "expected a list of detections, found something else");
    }
    std::vector<Detection> result;
    result.reserve(size / kTypicalBytes);
    read_list(list, "", [&](ondemand::object object, const Place& place) {
      result.push_back(to_detection(object, place));
    });
    require_end(document);
    return result;
  }

  static constexpr std::size_t kTypicalBytes = 80;  // one detection with few digits

  ondemand::parser parser_;
  std::vector<char> text_;
};

/// The lists between `cuts`, or nothing if a block cannot be read as a list by itself.
std::optional<std::vector<std::vector<Detection>>> read_cut(const ByteSource& source,
                                                            const std::vector<std::size_t>& cuts) {
  std::vector<std::vector<Detection>> blocks(cuts.size() + 1);
  tbb::enumerable_thread_specific<ListReader> readers;
  std::atomic<bool> refused = false;
  tbb::parallel_for(std::size_t{0}, blocks.size(), [&](std::size_t i) {
    if (refused) return;
    const std::size_t begin = i == 0 ? 0 : cuts[i - 1] + 1;
    const std::size_t end = i == cuts.size() ? source.size() : cuts[i];
    try {
      blocks[i] = readers.local().read(source, begin, end);
    } catch (const Error&) {
      refused = true;  // the reason is found, with its true index, in one piece
    }
  });
  if (refused) return std::nullopt;
  return blocks;
}

}  // namespace

std::vector<Detection> read_blocks(const ByteSource& source, std::size_t block_size) {
  const std::vector<std::size_t> cuts = guess_cuts(source, block_size);
  auto blocks = read_cut(source, cuts);
  if (!blocks) return ListReader().read(source, 0, source.size());
  if (blocks->size() == 1) return std::move(blocks->front());

  std::size_t count = 0;
  for (const auto& block : *blocks) count += block.size();
  std::vector<Detection> result;
  result.reserve(count);
  for (auto& block : *blocks) {
    result.insert(result.end(), block.begin(), block.end());
    std::vector<Detection>().swap(block);
  }
  return result;
}

}  // namespace yoloq::coco::detail
