// SPDX-License-Identifier: Apache-2.0
#include "core/file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <iterator>

#include "core/error.h"
#include "support/data.h"

namespace yoloq {
namespace {

ErrorCode code_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::bad_state;
}

TEST(File, ReadsBackWhatWasWritten) {
  const test::TemporaryFolder folder;
  const std::string content("one\0two", 7);

  write_file(folder / "file", content);

  EXPECT_EQ(read_file(folder / "file"), content);
}

TEST(File, ReplacesAFileAndLeavesNothingBeside) {
  const test::TemporaryFolder folder;
  write_file(folder / "file", "old");

  write_file(folder / "file", "new");

  EXPECT_EQ(read_file(folder / "file"), "new");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(File, SeveralFilesAreWrittenOrNone) {
  const test::TemporaryFolder folder;
  write_file(folder / "a", "old");

  const std::vector<FileContent> impossible{{folder / "a", "new"}, {folder / "none/b", "new"}};
  EXPECT_EQ(code_of([&] { write_files(impossible); }), ErrorCode::io);
  EXPECT_EQ(read_file(folder / "a"), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);

  const std::vector<FileContent> possible{{folder / "a", "new"}, {folder / "b", "newer"}};
  write_files(possible);
  EXPECT_EQ(read_file(folder / "a"), "new");
  EXPECT_EQ(read_file(folder / "b"), "newer");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 2);
}

TEST(File, SaysWhatIsMissing) {
  EXPECT_EQ(code_of([] { read_file("/no/such/file"); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([] { write_file("/no/such/folder/file", ""); }), ErrorCode::io);
  EXPECT_EQ(code_of([] { read_file("/"); }), ErrorCode::io);
}

TEST(File, AFailedLastStepLeavesTheOldContent) {
  const test::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "target");
  write_file(folder / "target/inside", "kept");

  EXPECT_EQ(code_of([&] { write_file(folder / "target", "new"); }), ErrorCode::io);
  EXPECT_EQ(read_file(folder / "target/inside"), "kept");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

}  // namespace
}  // namespace yoloq
