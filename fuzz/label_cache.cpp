// SPDX-License-Identifier: Apache-2.0
/// @file
/// Any bytes as the body of a label cache, with the right start and hash before them, so that what
/// is behind the hash is reached: nothing, or an index whose parts fit and that is written again
/// alike.
#include "dataset/label_cache.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/hash.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace dataset = yoloq::dataset;
  const std::string key(32, 'k');
  const std::string body(reinterpret_cast<const char*>(data), size);
  dataset::decode_label_cache(body, key);
  const std::string file = "yoloq label cache 1\n" + key + yoloq::hash_of(body) + body;
  const auto index = dataset::decode_label_cache(file, key);
  if (!index) return 0;
  std::size_t labels = 0;
  for (std::size_t i = 0; i < index->images.size(); ++i) labels += index->labels_of(i).size();
  if (labels != index->labels.size()) std::abort();
  if (dataset::encode_label_cache(*index, key) != file) std::abort();
  return 0;
}
