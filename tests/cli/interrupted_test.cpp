// SPDX-License-Identifier: Apache-2.0
// Runs that end in the middle: killed, or with no room left for their files.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "calibrate/ranges.h"
#include "cli/yoloq_program.h"
#include "core/file.h"

namespace yoloq {
namespace {

namespace fs = std::filesystem;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

/// A named pipe in place of an image: a run that reads it waits, at a known place, until it is fed.
class Pipe {
 public:
  explicit Pipe(fs::path path) : path_(std::move(path)) {
    fs::remove(path_);
    made_ = ::mkfifo(path_.c_str(), 0600) == 0;
  }

  /// Waits until a reader has opened the pipe, and gives it `content`.
  bool feed(const std::string& content) const {
    const int descriptor = wait_for_reader();
    if (descriptor < 0) return false;
    const auto written = ::write(descriptor, content.data(), content.size());
    ::close(descriptor);
    return written == static_cast<ssize_t>(content.size());
  }

  /// Waits until a reader has opened the pipe; keeps it waiting for content.
  int wait_for_reader() const {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::seconds(120);
    while (made_ && Clock::now() < end) {
      const int descriptor = ::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
      if (descriptor >= 0) return descriptor;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return -1;
  }

 private:
  fs::path path_;
  bool made_ = false;
};

pid_t start(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child != 0) return child;
  const int nowhere = ::open("/dev/null", O_WRONLY);
  ::dup2(nowhere, STDOUT_FILENO);
  ::dup2(nowhere, STDERR_FILENO);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

class Interrupted : public testing::Test {
 protected:
  static std::vector<std::string> quantize(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"quantize", "--weights",   "tiny.pt",   "--img",
                                       "64",       "--data",      "data.yaml", "--cache",
                                       "cache",    "--no-tuning", "--out",     "out.onnx"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  /// Every cache file can be read, and nothing half written is beside the outputs.
  void expect_whole_files() const {
    const auto files = test::files_below(project_.path());
    EXPECT_THAT(files, Each(Not(HasSubstr(".tmp"))));
    for (const std::string& file : files) {
      if (fs::path(file).extension() != ".ranges") continue;
      EXPECT_NO_THROW(calibrate::parse_ranges(read_file(project_ / file))) << file;
    }
  }

  test::TinyProject project_{4, 1};
};

TEST_F(Interrupted, AKilledCalibrationLeavesNothingHalfAndTheNextRunSucceeds) {
  const fs::path image = project_ / "images/train/000000000003.png";
  const std::string content = read_file(image);
  write_file(project_ / "train.txt",
             "./images/train/000000000001.png\n./images/train/000000000002.png\n"
             "./images/train/000000000003.png\n./images/train/000000000004.png\n");
  write_file(project_ / "data.yaml", "train: train.txt\nnames: [class 0, class 1, class 2]\n");
  write_file(project_ / "out.onnx", "what an earlier run wrote");
  const Pipe pipe(image);

  const pid_t child = start(test::yoloq_command(project_.path(), quantize()));
  const bool hashed = pipe.feed(content);      // First it is read for the key of the cache,
  const int waiting = pipe.wait_for_reader();  // then for calibration.
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(waiting);

  ASSERT_TRUE(hashed);
  ASSERT_GE(waiting, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(read_file(project_ / "out.onnx"), "what an earlier run wrote");
  EXPECT_FALSE(fs::exists(project_ / "out.plan.yaml"));
  expect_whole_files();
  fs::remove(image);
  write_file(image, content);
  const auto next = project_.run(quantize());
  EXPECT_EQ(next.status, 0) << next.errors;
  EXPECT_EQ(project_.run({"inspect", "--model", "out.onnx"}).status, 0);
}

TEST_F(Interrupted, KilledAtAnyMomentOutputsAreOldOrNewAndTheNextRunSucceeds) {
  ASSERT_EQ(project_.run(quantize({"--calibrator", "min-max"})).status, 0);
  const std::string old_model = read_file(project_ / "out.onnx");
  ASSERT_EQ(project_.run(quantize()).status, 0);
  const std::string new_model = read_file(project_ / "out.onnx");
  ASSERT_FALSE(old_model == new_model);

  for (const int wait_ms : {50, 150, 250, 350, 500, 700, 1000, 1500}) {
    write_file(project_ / "out.onnx", old_model);
    fs::remove_all(project_ / "cache");
    const pid_t child = start(test::yoloq_command(project_.path(), quantize()));
    std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);

    const std::string left = read_file(project_ / "out.onnx");
    EXPECT_TRUE(left == old_model || left == new_model) << "killed after " << wait_ms << " ms";
    expect_whole_files();
  }
  EXPECT_EQ(project_.run(quantize()).status, 0);
  EXPECT_TRUE(read_file(project_ / "out.onnx") == new_model);
}

/// A search on a project of its own.
class InterruptedSearch : public testing::Test {
 protected:
  static std::vector<std::string> search(const std::string& out, const std::string& time) {
    return {"search",  "--weights", "tiny.pt", "--img", "64",     "--data", "data.yaml",
            "--cache", "cache",     "--out",   out,     "--time", time};
  }

  /// Questions and answers of a journal; of times, which are measured anew, the questions alone.
  std::vector<std::string> answers(const std::string& out) const {
    std::vector<std::string> lines;
    std::istringstream text(read_file(project_ / out / "journal.jsonl"));
    for (std::string line; std::getline(text, line);) {
      const auto json = nlohmann::json::parse(line);
      if (!json.contains("question")) continue;
      const std::string question = json.at("question");
      const bool is_time = question.starts_with("time") || question.starts_with("milliseconds");
      lines.push_back(question + (is_time ? "" : " " + json.at("answer").get<std::string>()));
    }
    return lines;
  }

  bool has_answer(const std::string& out, const std::string& question) const {
    if (!fs::exists(project_ / out / "journal.jsonl")) return false;
    return read_file(project_ / out / "journal.jsonl").find(question) != std::string::npos;
  }

  /// Starts a search and waits until the journal has the answer.
  pid_t start_until(const std::string& out, const std::string& question) const {
    const pid_t child = start(test::yoloq_command(project_.path(), search(out, "10m")));
    for (int i = 0; i < 12000 && !has_answer(out, question); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return child;
  }

  test::TinyProject project_{12, 2};
};

TEST_F(InterruptedSearch, KilledAndResumedItTakesTheWayOfAnUnbrokenOne) {
  ASSERT_EQ(project_.run(search("whole", "10s")).status, 0);
  const auto whole = answers("whole");
  std::vector<std::string> resume = search("killed", "10s");
  resume.emplace_back("--resume");

  for (const char* question : {"AP, float", "AP, default"}) {
    const pid_t child = start_until("killed", question);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ASSERT_TRUE(has_answer("killed", question)) << question;
    EXPECT_FALSE(fs::exists(project_ / "killed/search.json"));
    const auto next = project_.run(resume);
    ASSERT_EQ(next.status, 0) << next.errors;
    const auto resumed = answers("killed");

    const std::size_t common = std::min(whole.size(), resumed.size());
    ASSERT_GT(common, 5U);
    EXPECT_EQ(std::vector(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(common)),
              std::vector(resumed.begin(), resumed.begin() + static_cast<std::ptrdiff_t>(common)))
        << "killed after " << question;
    EXPECT_TRUE(fs::exists(project_ / "killed/search.json"));
    fs::remove_all(project_ / "killed");
  }
}

TEST_F(InterruptedSearch, CtrlCKeepsTheFront) {
  const pid_t child = start_until("found", "AP, default");
  ::kill(child, SIGINT);
  int status = 0;
  ::waitpid(child, &status, 0);

  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(fs::exists(project_ / "found/best.onnx"));
  EXPECT_EQ(test::read_json(project_ / "found/search.json").at("reason"), "interrupted");
}

TEST_F(Interrupted, AKilledSensitivityGoesOnToTheSameBytes) {
  const std::vector<std::string> map{"sensitivity", "--weights", "tiny.pt", "--img",   "64",
                                     "--data",      "data.yaml", "--cache", "cache",   "--method",
                                     "map",         "--group",   "4",       "--draws", "2"};
  ASSERT_EQ(project_.run(map).status, 0);
  const std::string unbroken = test::measured_text(project_ / "sens.json");

  bool resumed = false;
  for (int wait_ms = 300; wait_ms < 20000 && !resumed; wait_ms += wait_ms / 4) {
    fs::remove(project_ / "sens.json");
    const pid_t child = start(test::yoloq_command(project_.path(), map));
    std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const bool finished = fs::exists(project_ / "sens.json");
    resumed = fs::exists(project_ / "sens.json.partial") && !finished;

    const auto next = project_.run(map);

    ASSERT_EQ(next.status, 0) << next.errors;
    EXPECT_EQ(next.output.find("layers were measured before") != std::string::npos, resumed);
    EXPECT_TRUE(test::measured_text(project_ / "sens.json") == unbroken)
        << "killed after " << wait_ms;
    expect_whole_files();
  }
  EXPECT_TRUE(resumed);
}

/// A run whose files may not grow beyond `kilobytes`: the system then refuses to write on, as it
/// does when a disk is full.
test::Finished with_little_room(const test::TinyProject& project, int kilobytes,
                                const std::vector<std::string>& arguments) {
  std::vector<std::string> command{
      "bash", "-c", "trap '' XFSZ; ulimit -f " + std::to_string(kilobytes) + " && exec \"$@\"",
      "bash"};
  const auto words = test::yoloq_command(project.path(), arguments);
  command.insert(command.end(), words.begin(), words.end());
  return test::run_command(command);
}

TEST_F(Interrupted, WithoutRoomForTheModelTheEarlierOneStays) {
  write_file(project_ / "out.onnx", "what an earlier run wrote");

  const auto finished =
      with_little_room(project_, 16, {"export", "--weights", "tiny.pt", "--out", "out.onnx"});

  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.errors, HasSubstr("cannot write 'out.onnx'"));
  EXPECT_EQ(read_file(project_ / "out.onnx"), "what an earlier run wrote");
  expect_whole_files();
}

class LittleRoom : public Interrupted, public testing::WithParamInterface<int> {};

TEST_P(LittleRoom, LeavesTheEarlierModelWithItsPlan) {
  ASSERT_EQ(project_.run(quantize({"--calibrator", "min-max"})).status, 0);
  const std::string model = read_file(project_ / "out.onnx");
  const std::string plan = read_file(project_ / "out.plan.yaml");

  const auto finished = with_little_room(project_, GetParam(), quantize({"--calibrator", "mse"}));

  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.errors, HasSubstr("cannot write"));
  EXPECT_TRUE(read_file(project_ / "out.onnx") == model);
  EXPECT_TRUE(read_file(project_ / "out.plan.yaml") == plan);
  expect_whole_files();
}

INSTANTIATE_TEST_SUITE_P(Kilobytes, LittleRoom, testing::Values(4, 48));

TEST_F(Interrupted, AFullDiskIsNamed) {
  fs::create_directories(project_ / "small");
  const std::string script =
      "mount -t tmpfs -o size=64k tmpfs small && \"$1\" export --weights tiny.pt --out "
      "small/a.onnx; "
      "status=$?; ls small; exit $status";
  const auto tried = test::run_command({"unshare", "--mount", "true"});
  if (tried.status != 0) GTEST_SKIP() << "no right to mount a small file system here";

  const auto finished = test::run_command({"env", "-C", project_.path().string(), "unshare",
                                           "--mount", "sh", "-c", script, "sh", YOLOQ_PROGRAM});

  if (finished.status == 32) GTEST_SKIP() << "no right to mount a small file system here";
  EXPECT_EQ(finished.status, 1) << finished.errors;
  EXPECT_THAT(finished.errors, HasSubstr("small/a.onnx': No space left on device"));
  EXPECT_EQ(finished.output, "");  // Nothing is left there.
}

}  // namespace
}  // namespace yoloq
