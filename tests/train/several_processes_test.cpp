// SPDX-License-Identifier: Apache-2.0

/// @file
/// yoloq-torch as torchrun would start it: one process per rank, told by variables.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/file.h"
#include "dataset/hyperparameters.h"
#include "dataset/shapes.h"
#include "pipeline/training_checkpoint.h"
#include "support/data.h"
#include "support/gpus.h"
#include "train/several_ranks.h"

namespace yoloq::train {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using test::TemporaryFolder;
using testing::AllOf;
using testing::HasSubstr;
using Words = std::vector<std::string>;

/// yoloq-torch with variables of its own; what it writes goes to a file.
class Process {
 public:
  Process(const Words& arguments, const Words& variables, fs::path log) : log_(std::move(log)) {
    pid_ = ::fork();
    if (pid_ != 0) return;
    for (const std::string& variable : variables) ::putenv(const_cast<char*>(variable.c_str()));
    const int file = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    std::vector<char*> words{const_cast<char*>(YOLOQ_TORCH_PROGRAM)};
    for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ::execv(YOLOQ_TORCH_PROGRAM, words.data());
    ::_exit(127);
  }
  ~Process() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Process(Process&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), log_(std::move(other.log_)) {}
  Process& operator=(Process&&) = delete;

  void kill() const { ::kill(pid_, SIGKILL); }

  /// Exit status, 128 + the signal that ended it, or -1 if it goes on for longer.
  int status_within(seconds patience) {
    const auto end = std::chrono::steady_clock::now() + patience;
    int status = 0;
    while (std::chrono::steady_clock::now() < end) {
      if (::waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return -1;
  }

  std::string log() const { return read_file(log_); }

 private:
  pid_t pid_ = -1;
  fs::path log_;
};

class SeveralProcesses : public testing::Test {
 protected:
  /// How many images there are, of how many pixels, and how many a batch has.
  struct Data {
    int images = 9;  ///< In batches of four the last has one, and the second rank nothing of it.
    int side = 64;
    int batch = 4;
  };

  void SetUp() override { draw({}); }

  void draw(const Data& data) {
    data_ = data;
    dataset::write_shapes(folder_ / "data", {.train_images = data.images,
                                             .val_images = 2,
                                             .side = data.side,
                                             .threads = 1,
                                             .force = true});
  }

  Words train(const std::string& out, int epochs) const {
    return with_data({"train", "--cfg", "yolov5p.yaml"}, out, epochs);
  }

  Words with_data(Words words, const std::string& out, int epochs) const {
    for (const std::string& word :
         {std::string("--data"), (folder_ / "data/data.yaml").string(), std::string("--img"),
          std::to_string(data_.side), std::string("--batch-size"), std::to_string(data_.batch),
          std::string("--nominal-batch"), std::string("8"), std::string("--threads"),
          std::string("1"), std::string("--no-val"), std::string("--epochs"),
          std::to_string(epochs), std::string("--out"), (folder_ / out).string(),
          std::string("--json"), (folder_ / (out + ".json")).string()}) {
      words.push_back(word);
    }
    if (on_gpus_) words.insert(words.end(), {"--device", "cuda"});
    return words;
  }

  std::vector<Process> start(const Words& arguments, int ranks) const {
    const std::string port = std::to_string(test::free_port());
    std::vector<Process> processes;
    for (int rank = 0; rank < ranks; ++rank) {
      const std::string number = std::to_string(rank);
      processes.emplace_back(
          arguments,
          Words{"RANK=" + number, "LOCAL_RANK=" + number, "WORLD_SIZE=" + std::to_string(ranks),
                "MASTER_ADDR=127.0.0.1", "MASTER_PORT=" + port},
          folder_ / ("log" + number));
    }
    return processes;
  }

  /// Runs to the end on all ranks.
  void run(const Words& arguments, int ranks) const {
    for (Process& process : start(arguments, ranks)) {
      ASSERT_EQ(process.status_within(seconds(120)), 0) << process.log();
    }
  }

  /// Box, objectness and class losses of all epochs.
  std::vector<double> curve(const std::string& out) const {
    const auto json = nlohmann::json::parse(read_file(folder_ / (out + ".json")));
    std::vector<double> losses;
    for (const auto& epoch : json.at("epochs")) {
      for (const char* part : {"box_loss", "obj_loss", "cls_loss"})
        losses.push_back(epoch.at(part));
    }
    return losses;
  }

  void expect_same_curve(const std::string& actual, const std::string& expected,
                         double tolerance) const {
    const std::vector<double> losses = curve(actual), expected_losses = curve(expected);
    ASSERT_EQ(losses.size(), expected_losses.size());
    for (std::size_t i = 0; i < losses.size(); ++i) {
      EXPECT_NEAR(losses[i], expected_losses[i], tolerance) << "epoch " << i / 3;
    }
  }

  /// Loss curves within 1e-5, and weights, running statistics and averages at the end alike.
  void expect_same(const std::string& actual, const std::string& expected) const {
    expect_same_curve(actual, expected, 1e-5);
    expect_same_state(actual, expected);
  }

  void expect_same_state(const std::string& actual, const std::string& expected) const {
    const auto read = [&](const std::string& out) {
      return pipeline::read_training_checkpoint(folder_ / out / "last.ckpt").state;
    };
    const auto state = read(actual), expected_state = read(expected);
    ASSERT_EQ(state.size(), expected_state.size());
    for (const auto& [name, tensor] : expected_state) {
      const std::vector<float> want = tensor.to_floats(), have = state.at(name).to_floats();
      float largest = 0, difference = 0;
      for (std::size_t i = 0; i < want.size(); ++i) {
        largest = std::max(largest, std::abs(want[i]));
        difference = std::max(difference, std::abs(want[i] - have[i]));
      }
      if (name.starts_with("value/") || name.starts_with("average/")) {
        EXPECT_LE(difference, 1e-4F * std::max(largest, 1.0F)) << name;
      }
    }
  }

  /// Kills one of two ranks while they train; what the other one does.
  void expect_other_ends(std::size_t victim) const {
    std::vector<Process> processes = start(train("killed", 100000), 2);
    const auto end = std::chrono::steady_clock::now() + seconds(120);
    while (!fs::exists(folder_ / "killed/last.ckpt") && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    processes[victim].kill();
    EXPECT_EQ(processes[victim].status_within(seconds(30)), 128 + SIGKILL);
    Process& other = processes[1 - victim];
    EXPECT_EQ(other.status_within(seconds(30)), 1) << other.log();
    EXPECT_THAT(other.log(), AllOf(HasSubstr("yoloq: "), HasSubstr("another rank has ended")));
    const auto whole = pipeline::read_training_checkpoint(folder_ / "killed/last.ckpt");
    EXPECT_FALSE(whole.state.empty());
  }

  /// Trains with small steps, as "one" on one rank and as "two" on two. Normalization by batches of
  /// so few values is steep, and rounding alone leads two trainings apart: with lr0 at 0.01, one
  /// process with one thread and with two differ by 2e-4 after three epochs.
  void train_in_small_steps() {
    draw({.images = 21, .side = 128, .batch = 8});
    dataset::Hyperparameters hyp = dataset::read_hyperparameters("hyp.scratch.yaml");
    hyp.lr0 = 1e-4;
    hyp.warmup_bias_lr = 0;
    write_file(folder_ / "small.yaml", dataset::to_yaml(hyp));
    for (const auto& [out, ranks] : {std::pair("one", 1), std::pair("two", 2)}) {
      Words words = train(out, 3);
      words.insert(words.end(), {"--hyp", (folder_ / "small.yaml").string()});
      run(words, ranks);
    }
  }

  TemporaryFolder folder_;
  Data data_;
  bool on_gpus_ = false;  ///< Each rank on that of its LOCAL_RANK.
};

TEST_F(SeveralProcesses, TrainAsOneDoesWithTheSameBatch) {
  train_in_small_steps();
  expect_same("two", "one");
}

/// GPUs add up in any order, so that losses of even the same training differ in their last digits.
TEST_F(SeveralProcesses, OnGpusTrainAsOneDoesWithTheSameBatch) {
  YOLOQ_NEED_GPUS(2);
  on_gpus_ = true;
  train_in_small_steps();
  expect_same_curve("two", "one", 1e-4);
}

TEST_F(SeveralProcesses, OnGpusEndWhenOneIsKilled) {
  YOLOQ_NEED_GPUS(2);
  on_gpus_ = true;
  expect_other_ends(1);
}

TEST_F(SeveralProcesses, TrainAsOneDoesWithKeptStatisticsAtFullRate) {
  const auto words = [&](const std::string& out) {
    Words result = train(out, 3);
    result.emplace_back("--freeze-norm");
    return result;
  };
  run(words("one"), 1);
  run(words("two"), 2);
  expect_same("two", "one");
}

TEST_F(SeveralProcesses, DistillAsOneDoesWithTheSameBatch) {
  run(train("float", 1), 1);
  const auto qat = [&](const std::string& out) {
    return with_data({"qat", "--weights", (folder_ / "float/last.ckpt").string(),
                      "--num-calib-images", "4", "--no-bias-correction", "--tuning-images", "4"},
                     out, 3);
  };
  run(qat("one"), 1);
  run(qat("two"), 2);
  expect_same("two", "one");
}

TEST_F(SeveralProcesses, EndWhenTheFirstIsKilled) { expect_other_ends(0); }
TEST_F(SeveralProcesses, EndWhenAnotherThanTheFirstIsKilled) { expect_other_ends(1); }

TEST_F(SeveralProcesses, WithOtherArgumentsAreRefused) {
  const int port = test::free_port();
  const auto process = [&](int rank, const Words& arguments) {
    return Process(arguments,
                   {"RANK=" + std::to_string(rank), "WORLD_SIZE=2", "MASTER_ADDR=127.0.0.1",
                    "MASTER_PORT=" + std::to_string(port)},
                   folder_ / ("log" + std::to_string(rank)));
  };
  Process first = process(0, train("out", 3)), second = process(1, train("out", 4));
  EXPECT_EQ(second.status_within(seconds(60)), 1);
  EXPECT_THAT(second.log(), HasSubstr("rank 1 of 2 was started with another model, plan, recipe"));
  EXPECT_EQ(first.status_within(seconds(60)), 1);
  EXPECT_THAT(first.log(), HasSubstr("another rank has ended"));
}

TEST_F(SeveralProcesses, WhoseNumberDoesNotDivideTheBatchAreRefused) {
  for (Process& process : start(train("out", 1), 3)) {
    EXPECT_EQ(process.status_within(seconds(60)), 1);
    EXPECT_THAT(process.log(), HasSubstr("a batch of 4 images cannot be shared by 3 ranks"));
  }
}

}  // namespace
}  // namespace yoloq::train
