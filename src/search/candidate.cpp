// SPDX-License-Identifier: Apache-2.0
#include "search/candidate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace yoloq::search {

namespace {

/// "name=value" words, of what is not as usual.
class Words {
 public:
  template <typename T>
  void add(const char* name, const T& value, const T& usual) {
    if (value != usual) words_.push_back(fmt::format("{}={}", name, value));
  }

  std::string text() const {
    return words_.empty() ? "default" : fmt::format("{}", fmt::join(words_, " "));
  }

 private:
  std::vector<std::string> words_;
};

void add_structure(Words& words, const Candidate& candidate) {
  if (candidate.residual) {
    words.add("residual", quantize::name_of(*candidate.residual), std::string_view());
  }
  words.add("float", fmt::format("{}", fmt::join(candidate.float_layers, ",")), std::string());
}

}  // namespace

const Candidate& default_candidate() {
  static const Candidate candidate;
  return candidate;
}

std::string text_of(const Candidate& candidate) {
  const Candidate& usual = default_candidate();
  Words words;
  words.add("calibrator", quantize::name_of(candidate.calibrator),
            quantize::name_of(usual.calibrator));
  words.add("by-tensor", candidate.by_tensor, usual.by_tensor);
  words.add("images", candidate.images, usual.images);
  words.add("object-weight", candidate.object_weight, usual.object_weight);
  words.add("tuning", candidate.tuning, usual.tuning);
  words.add("ridge", candidate.ridge, usual.ridge);
  words.add("tuning-images", candidate.tuning_images, usual.tuning_images);
  add_structure(words, candidate);
  return words.text();
}

std::string structure_of(const Candidate& candidate) {
  Words words;
  add_structure(words, candidate);
  return words.text();
}

}  // namespace yoloq::search
