// SPDX-License-Identifier: Apache-2.0
#include "dataset/label_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/hash.h"
#include "dataset/small_set.h"

namespace yoloq::dataset {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;

const std::string kKey(32, 'k');

StoredIndex read(const SmallSet& small) { return read_label_index(small.images(), 3); }

TEST(LabelCache, IsKnownByItsName) {
  EXPECT_TRUE(is_label_cache_of("labels/train", "labels/train.0123abcd.yoloq-cache"));
  EXPECT_TRUE(is_label_cache_of("labels/train", "labels/train.yoloq-cache"));

  for (const char* file :
       {"train.yoloq-cache", "labels/val.yoloq-cache", "labels/train2.yoloq-cache",
        "labels/train.mine.yoloq-cache", "labels/train.0123abcg.yoloq-cache",
        "labels/train.0123abcd.txt", "labels/train/0.yoloq-cache", "labels/train", ""}) {
    EXPECT_FALSE(is_label_cache_of("labels/train", file)) << file;
  }
  EXPECT_FALSE(is_label_cache_of("a.yoloq-cache", "a.yoloq-cache"));
}

TEST(LabelCache, GivesTheSecondStartWhatTheFirstRead) {
  SmallSet small;
  fill(small);
  make_old(small);

  const StoredIndex first = read(small);
  const StoredIndex second = read(small);

  EXPECT_FALSE(first.from_cache);
  EXPECT_TRUE(second.from_cache);
  EXPECT_EQ(second.index, first.index);
  EXPECT_EQ(first.index, index_labels(small.images(), 3));
  EXPECT_TRUE(fs::exists(label_cache_path(small.images())));
}

TEST(LabelCache, IsKeptForEachOfTwoListsOverOneFolder) {
  SmallSet small;
  fill(small);
  make_old(small);
  const std::vector<fs::path>& all = small.images();
  const std::vector<fs::path> train{all[0], all[2], all[3]};
  const std::vector<fs::path> val{all[0], all[1], all[4]};

  read_label_index(train, 3);
  read_label_index(val, 3);

  EXPECT_TRUE(read_label_index(train, 3).from_cache);
  EXPECT_TRUE(read_label_index(val, 3).from_cache);
}

TEST(LabelCache, IsNamedAfterTheLabelsFolderAndTheList) {
  const std::vector<fs::path> images{"/data/images/train/0.png", "/data/images/train/1.png"};
  const std::vector<fs::path> moved{"/other/images/train/0.png", "/other/images/train/1.png"};
  const std::vector<fs::path> other{"/data/images/train/0.png", "/data/images/val/1.png"};

  const std::string file = label_cache_path(images).string();

  EXPECT_THAT(file, MatchesRegex("/data/labels/train\\.[0-9a-f]{8}\\.yoloq-cache"));
  EXPECT_EQ(label_cache_path(moved).filename(), fs::path(file).filename());
  EXPECT_NE(label_cache_path(other), file);
  EXPECT_NE(label_cache_path(std::span(images).first(1)), file);
}

TEST(LabelCache, HoldsBadImages) {
  SmallSet small;
  fill(small);
  write_file(small.images()[1], "no image");
  make_old(small);

  const StoredIndex first = read(small);
  const StoredIndex second = read(small);

  EXPECT_TRUE(second.from_cache);
  EXPECT_EQ(second.index, first.index);
  ASSERT_EQ(second.index.bad.size(), 1u);
  EXPECT_EQ(second.index.bad[0].path, small.images()[1]);
}

TEST(LabelCache, IsMadeAnewWhenAnythingChanges) {
  SmallSet small;
  fill(small);
  make_old(small);
  read(small);

  write_file(small.label_file(0), "1 0.5 0.5 0.4 0.5\n1 0.2 0.3 0.2 0.4\n");  // As long as before.
  EXPECT_EQ(read(small).index.labels[0].class_index, 1);
  make_old(small);
  read(small);
  ASSERT_TRUE(read(small).from_cache);
  fs::remove(small.label_file(0));
  EXPECT_FALSE(read(small).from_cache);
  EXPECT_FALSE(read_label_index(small.images(), 4).from_cache);
  EXPECT_FALSE(read_label_index(std::span(small.images()).first(4), 3).from_cache);
}

TEST(LabelCache, WaitsForFilesThatAreJustWritten) {
  SmallSet small;
  fill(small);

  EXPECT_FALSE(read(small).from_cache);
  EXPECT_FALSE(fs::exists(label_cache_path(small.images())));
}

TEST(LabelCache, IsMadeAnewWhenDamaged) {
  SmallSet small;
  fill(small);
  make_old(small);
  read(small);
  const fs::path file = label_cache_path(small.images());
  const std::string whole = read_file(file);

  for (const std::size_t at : {std::size_t{3}, whole.size() / 2, whole.size() - 1}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    write_file(file, damaged);
    EXPECT_FALSE(read(small).from_cache) << at;
    EXPECT_EQ(read_file(file), whole) << at;
  }
  write_file(file, whole.substr(0, whole.size() / 2));
  EXPECT_FALSE(read(small).from_cache);
  write_file(file, "");
  EXPECT_FALSE(read(small).from_cache);
}

TEST(LabelCache, WithANumberThatCannotBeIsRefusedEvenIfItsHashFits) {
  const LabelIndex index{.images = {"a"}, .sizes = {{1, 1}}, .labels = {{}}, .ends = {1}};
  LabelIndex too_far = index;
  too_far.ends = {2};
  LabelIndex too_near = index;
  too_near.ends = {0};

  EXPECT_EQ(decode_label_cache(encode_label_cache(index, kKey), kKey), index);
  EXPECT_FALSE(decode_label_cache(encode_label_cache(too_far, kKey), kKey));
  EXPECT_FALSE(decode_label_cache(encode_label_cache(too_near, kKey), kKey));
  const std::string body(8, '\x7F');  // As many images as no memory holds.
  EXPECT_FALSE(decode_label_cache("yoloq label cache 1\n" + kKey + hash_of(body) + body, kKey));
}

TEST(LabelCache, LeavesAFolderAloneThatIsReadOnly) {
  SmallSet small;
  fill(small);
  make_old(small);
  fs::permissions(small.folder() / "labels", fs::perms::owner_read | fs::perms::owner_exec);

  const StoredIndex stored = read(small);

  fs::permissions(small.folder() / "labels", fs::perms::owner_all);
  EXPECT_THAT(stored.notice, HasSubstr("labels are read again at each start: '"));
  EXPECT_THAT(stored.index.images, Not(IsEmpty()));
  EXPECT_FALSE(fs::exists(label_cache_path(small.images())));
}

TEST(LabelCache, SaysWhyItCannotBeWritten) {
  SmallSet small;
  fill(small);
  make_old(small);
  fs::create_directories(label_cache_path(small.images()) / "in the way");

  const StoredIndex stored = read(small);

  EXPECT_THAT(stored.notice, HasSubstr(".yoloq-cache': Is a directory"));
  EXPECT_EQ(stored.index, index_labels(small.images(), 3));
}

}  // namespace
}  // namespace yoloq::dataset
