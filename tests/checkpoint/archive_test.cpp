// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/detail/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/error.h"
#include "support/zip_writer.h"

namespace yoloq::checkpoint {
namespace {

using test::zip_archive;
using test::ZipMethod;
using testing::HasSubstr;
using namespace std::string_literals;

std::string archive_message(const std::string& bytes, std::string_view entry = "data.pkl") {
  try {
    Archive(bytes).read(entry);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Archive, ReadsEntriesOfTheFolderOfThePickle) {
  for (const ZipMethod method : {ZipMethod::stored, ZipMethod::deflated}) {
    for (const std::string folder : {"archive/", "best/", ""}) {
      const std::string content(100'000, 'x');
      Archive archive(
          zip_archive({{folder + "data.pkl", "pickle"}, {folder + "data/0", content}}, method));

      EXPECT_EQ(archive.read("data.pkl"), "pickle");
      EXPECT_EQ(archive.read("data/0"), content);
      EXPECT_TRUE(archive.contains("data/0"));
      EXPECT_FALSE(archive.contains("data/1"));
    }
  }
}

TEST(Archive, SaysWhatAnotherFileLooksLike) {
  EXPECT_THAT(archive_message(""), HasSubstr("empty"));
  EXPECT_THAT(archive_message("\x80\x02\x8a\nl\xfc\x9c"
                              "F\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."),
              HasSubstr("torch.save(torch.load("));
  EXPECT_THAT(archive_message("version https://git-lfs.github.com/spec/v1\n"),
              HasSubstr("git lfs pull"));
  EXPECT_THAT(archive_message("<!doctype html>"), HasSubstr("not a PyTorch checkpoint"));
  EXPECT_THAT(archive_message(zip_archive({{"a.txt", "a"}})), HasSubstr("no data.pkl"));
  EXPECT_THAT(archive_message(zip_archive({{"m/data.pkl", "a"}, {"m/constants.pkl", "b"}})),
              HasSubstr("TorchScript"));
}

TEST(Archive, RefusesEveryTruncation) {
  const std::string whole = zip_archive({{"a/data.pkl", "pickle"}, {"a/data/0", "storage"}});

  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(Archive(whole.substr(0, size)).read("data.pkl"), Error) << size;
  }
  EXPECT_THAT(archive_message(whole.substr(0, whole.size() / 2)), HasSubstr("cut off"));
}

TEST(Archive, NoticesAFlippedBitInAnEntry) {
  std::string damaged = zip_archive({{"a/data.pkl", "pickle"}});
  damaged[damaged.find("pickle")] ^= 1;

  EXPECT_THAT(archive_message(damaged), HasSubstr("'a/data.pkl' in the archive is damaged"));
}

TEST(Archive, NamesAMissingEntry) {
  EXPECT_THAT(archive_message(zip_archive({{"a/data.pkl", "p"}}), "data/7"), HasSubstr("a/data/7"));
}

/// Writes `size` where the archive says how long its only entry is without compression.
std::string with_claimed_size(std::string archive, std::uint32_t size) {
  const auto local = archive.find("PK\x03\x04");
  const auto central = archive.find("PK\x01\x02");
  std::memcpy(archive.data() + local + 22, &size, sizeof size);
  std::memcpy(archive.data() + central + 24, &size, sizeof size);
  return archive;
}

TEST(Archive, RefusesAnEntryThatLiesAboutItsSize) {
  const std::string whole =
      zip_archive({{"a/data.pkl", std::string(5000, 'p')}}, ZipMethod::deflated);

  for (const std::uint32_t size : {0u, 1u, 4999u, 5001u, 1u << 20, 1u << 31, 0xFFFFFFF0u}) {
    EXPECT_THAT(archive_message(with_claimed_size(whole, size)), HasSubstr("damaged")) << size;
  }
}

TEST(Archive, RefusesAnEntryThatIsThereTwice) {
  std::string twice = zip_archive({{"a/data.pkl", "1"}, {"a/data.pk2", "2"}});
  for (std::size_t at = twice.find("data.pk2"); at != twice.npos; at = twice.find("data.pk2")) {
    twice.replace(at, 8, "data.pkl");
  }

  EXPECT_THAT(archive_message(twice), HasSubstr("twice"));
}

TEST(Archive, BoundsWhatASmallFileMayGrowTo) {
  Archive archive(zip_archive({{"a/data.pkl", std::string(8 << 20, '\0')}}, ZipMethod::deflated));
  const auto read_again_and_again = [&] {
    for (int i = 0; i < 40; ++i) archive.read("data.pkl");  // 320 MiB from 8 kB.
  };

  EXPECT_THROW(read_again_and_again(), Error);
}

}  // namespace
}  // namespace yoloq::checkpoint
