// SPDX-License-Identifier: Apache-2.0
#include "core/file.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <functional>
#include <future>
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

TEST(File, WritesBehindSymbolicLinksAndLeavesThem) {
  namespace fs = std::filesystem;
  const test::TemporaryFolder folder;
  fs::create_directory(folder / "sub");
  write_file(folder / "sub/file", "old");
  fs::create_symlink("sub/file", folder / "link");
  fs::create_symlink(folder / "link", folder / "chain");
  fs::create_symlink("sub/later", folder / "dangling");
  fs::create_symlink("circle", folder / "circle");

  write_file(folder / "chain", "new");
  const std::vector<FileContent> files{{folder / "dangling", "newer"}};
  write_files(files);

  EXPECT_EQ(read_file(folder / "sub/file"), "new");
  EXPECT_EQ(read_file(folder / "sub/later"), "newer");
  for (const char* link : {"link", "chain", "dangling"}) {
    EXPECT_TRUE(fs::is_symlink(folder / link)) << link;
  }
  EXPECT_EQ(code_of([&] { write_file(folder / "circle", ""); }), ErrorCode::io);
}

TEST(File, WritesStraightToANamedPipe) {
  const test::TemporaryFolder folder;
  const auto pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  auto first = std::async(std::launch::async, [&] { return read_file(pipe); });

  write_file(pipe, "content");

  EXPECT_EQ(first.get(), "content");
  auto second = std::async(std::launch::async, [&] { return read_file(pipe); });
  const std::vector<FileContent> files{{pipe, "more"}, {folder / "file", "beside"}};
  write_files(files);
  EXPECT_EQ(second.get(), "more");
  EXPECT_EQ(read_file(folder / "file"), "beside");
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
}

TEST(File, WritesStraightToAnOpenDescriptor) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);

  write_file(fmt::format("/proc/self/fd/{}", ends[1]), "content");

  ::close(ends[1]);
  std::array<char, 16> read{};
  const auto length = ::read(ends[0], read.data(), read.size());
  ::close(ends[0]);
  EXPECT_EQ(std::string_view(read.data(), static_cast<std::size_t>(length)), "content");
}

}  // namespace
}  // namespace yoloq
