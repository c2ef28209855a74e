// SPDX-License-Identifier: Apache-2.0
#include "calibrate/ranges_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "calibrate/samples.h"
#include "core/file.h"
#include "support/data.h"

namespace yoloq::calibrate {
namespace {

using test::error_of;
using testing::HasSubstr;
using yoloq::test::TemporaryFolder;

CacheInputs inputs() {
  return {.model = "m",
          .preprocessing = "letterbox 640",
          .tensors = {"x", "y"},
          .images = {{"a.jpg", "1"}, {"b.jpg", "2"}}};
}

Ranges ranges_of_key(const std::string& key) {
  Ranges ranges;
  ranges.provenance.key = key;
  ranges.tensors["x"] = test::statistics_of({1.0f, 2.0f});
  return ranges;
}

TEST(CacheKey, ChangesWithEveryInput) {
  const std::string key = cache_key(inputs());
  const auto changed = [](auto&& change) {
    CacheInputs other = inputs();
    change(other);
    return cache_key(other);
  };

  EXPECT_EQ(key.size(), 32u);
  EXPECT_NE(changed([](CacheInputs& i) { i.model = "n"; }), key);
  EXPECT_NE(changed([](CacheInputs& i) { i.preprocessing = "letterbox 320"; }), key);
  EXPECT_NE(changed([](CacheInputs& i) { i.tensors = {"x"}; }), key);
  EXPECT_NE(changed([](CacheInputs& i) { i.images[0].second = "3"; }), key);
  EXPECT_NE(changed([](CacheInputs& i) { i.images[0].first = "c.jpg"; }), key);
  EXPECT_NE(changed([](CacheInputs& i) { i.images.pop_back(); }), key);
  EXPECT_NE(changed([](CacheInputs& i) { std::swap(i.images[0].second, i.images[1].second); }),
            key);
}

TEST(CacheKey, DoesNotDependOnTheOrder) {
  CacheInputs other = inputs();
  std::swap(other.images[0], other.images[1]);
  std::swap(other.tensors[0], other.tensors[1]);

  EXPECT_EQ(cache_key(other), cache_key(inputs()));
}

TEST(RangesCache, GivesBackWhatWasKept) {
  const TemporaryFolder folder;
  const Ranges ranges = ranges_of_key("k");

  EXPECT_EQ(read_cached(folder / "cache", "k"), std::nullopt);
  write_cached(folder / "cache", ranges);

  EXPECT_EQ(read_cached(folder / "cache", "k"), ranges);
  EXPECT_EQ(read_cached(folder / "cache", "other"), std::nullopt);
}

TEST(RangesCache, NamesAFileThatIsBroken) {
  const TemporaryFolder folder;
  write_cached(folder.path(), ranges_of_key("k"));
  std::string bytes = read_file(cache_path(folder.path(), "k"));
  bytes[bytes.size() / 2] ^= 4;
  write_file(cache_path(folder.path(), "k"), bytes);

  const Error error = error_of([&] { read_cached(folder.path(), "k"); });

  EXPECT_EQ(error.code(), ErrorCode::corrupt_file);
  EXPECT_THAT(error.what(), HasSubstr(cache_path(folder.path(), "k").string()));
}

TEST(RangesCache, RefusesAFileOfAnotherKey) {
  const TemporaryFolder folder;
  write_file(cache_path(folder.path(), "k"), serialize(ranges_of_key("other")));

  EXPECT_EQ(error_of([&] { read_cached(folder.path(), "k"); }).code(), ErrorCode::corrupt_file);
}

TEST(RangesCache, SaysWhatCannotBeWritten) {
  const TemporaryFolder folder;
  write_file(folder / "file", "");

  const auto keep = [&](const Ranges& ranges) {
    return error_of([&] { write_cached(folder / "file", ranges); }).code();
  };

  EXPECT_EQ(keep(ranges_of_key("k")), ErrorCode::io);
  EXPECT_EQ(keep(Ranges()), ErrorCode::bad_argument);
}

}  // namespace
}  // namespace yoloq::calibrate
