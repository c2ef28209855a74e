// SPDX-License-Identifier: Apache-2.0
// Training as users meet it: from a drawn data set to a checkpoint that every command takes.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "checkpoint/state_dict.h"
#include "cli/yoloq_program.h"
#include "core/file.h"
#include "model/emit.h"
#include "model/read_yaml.h"
#include "onnx/model_file.h"
#include "pipeline/model.h"
#include "pipeline/training_checkpoint.h"
#include "support/tiny_checkpoint.h"
#include "support/tiny_model.h"

namespace yoloq {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ContainsRegex;
using testing::Each;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Not;
using testing::Pointwise;
using Words = std::vector<std::string>;

Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

pid_t start_quietly(const Words& command) {
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

/// A drawn data set in a folder of its own, and the words that train on it.
class CommandLineTraining : public testing::Test {
 protected:
  void SetUp() override {
    must({"dataset", "shapes", "--out", "shapes", "--images", "12", "--val", "4", "--img", "64",
          "--classes", "3"});
  }

  test::Finished yoloq(const Words& words) const { return test::yoloq_in(folder_.path(), words); }

  std::string must(const Words& words) const {
    const auto finished = yoloq(words);
    EXPECT_EQ(finished.status, 0) << words.front() << ": " << finished.errors;
    return finished.output;
  }

  static Words common(const std::string& out) {
    return {"--data",          "shapes/data.yaml",
            "--img",           "64",
            "--batch-size",    "6",
            "--threads",       "1",
            "--workers",       "1",
            "--average-steps", "2",
            "--out",           out};
  }
  static Words train(const std::string& out, const std::string& epochs = "3") {
    return Words{"train", "--cfg", "yolov5p.yaml", "--epochs", epochs} + common(out);
  }
  static Words qat(const std::string& out, const std::string& weights) {
    return Words{"qat",      "--weights",   weights,
                 "--epochs", "3",           "--num-calib-images",
                 "4",        "--no-tuning", "--no-bias-correction"} +
           common(out);
  }

  std::string bytes(const fs::path& file) const { return read_file(folder_ / file); }

  /// Kills a training at moments of its course, lets it go on, and compares.
  void expect_same_bytes_when_killed(const Words& whole, const Words& killed,
                                     const std::string& whole_out, const std::string& out) const {
    must(whole);
    int caught = 0;
    for (const int wait_ms : {300, 900, 1500, 2500}) {
      fs::remove_all(folder_ / out);
      const pid_t child = start_quietly(test::yoloq_command(folder_.path(), killed));
      // From the first checkpoint on, or before it.
      for (int i = 0; wait_ms > 1000 && i < 6000 && !fs::exists(folder_ / out / "last.ckpt"); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      std::this_thread::sleep_for(
          std::chrono::milliseconds(wait_ms > 1000 ? wait_ms % 100 + 20 : wait_ms));
      ::kill(child, SIGKILL);
      int status = 0;
      ::waitpid(child, &status, 0);
      caught += WIFSIGNALED(status) ? 1 : 0;
      const auto files = test::files_below(folder_.path());
      EXPECT_THAT(files, Each(Not(HasSubstr(".tmp"))));
      const bool begun = fs::exists(folder_ / out / "last.ckpt");
      if (begun) {
        EXPECT_NO_THROW(pipeline::read_training_checkpoint(folder_ / out / "last.ckpt"));
      }

      must(begun ? killed + Words{"--resume"} : killed);

      EXPECT_TRUE(bytes(out + "/last.ckpt") == bytes(whole_out + "/last.ckpt")) << wait_ms;
      EXPECT_TRUE(bytes(out + "/best.ckpt") == bytes(whole_out + "/best.ckpt")) << wait_ms;
    }
    EXPECT_GT(caught, 0);
  }

  test::TemporaryFolder folder_;
};

TEST_F(CommandLineTraining, MakesACheckpointThatEveryCommandTakes) {
  must(train("runs") + Words{"--json", "train.json"});

  const auto json = test::read_json(folder_ / "train.json");
  EXPECT_EQ(json.at("epochs").size(), 3U);
  EXPECT_EQ(json.at("best"), "runs/best.ckpt");
  must({"inspect", "--weights", "runs/best.ckpt", "--img", "64"});
  must({"export", "--weights", "runs/best.ckpt", "--img", "64", "--out", "fixed.onnx"});
  must({"eval", "--weights", "runs/best.ckpt", "--model", "fixed.onnx", "--img", "64", "--data",
        "shapes/data.yaml", "--latency-seconds", "0", "--json", "eval.json"});
  must({"detect", "--weights", "runs/best.ckpt", "--img", "64", "--source", "shapes/images/val",
        "--no-draw", "--out", "found"});
  must({"quantize", "--weights", "runs/best.ckpt", "--img", "64", "--data", "shapes/data.yaml",
        "--no-tuning", "--no-bias-correction", "--cache", "", "--out", "int8.onnx"});
}

TEST_F(CommandLineTraining, ExportsACheckpointForOneSizeOrAll) {
  must(train("runs", "1"));

  must({"export", "--weights", "runs/last.ckpt", "--img", "96", "--batch", "2", "--out",
        "fixed.onnx"});
  must({"export", "--weights", "runs/last.ckpt", "--dynamic", "--opset", "17", "--out",
        "open.onnx"});
  const auto decoded = yoloq({"export", "--weights", "runs/last.ckpt", "--head", "decoded"});
  const auto odd = yoloq({"export", "--weights", "runs/last.ckpt", "--img", "70"});

  const auto fixed = onnx::read_model(folder_ / "fixed.onnx").inputs.front().type.dims;
  EXPECT_EQ((*fixed)[0].size, 2);
  EXPECT_EQ((*fixed)[2].size, 96);
  const graph::Graph open = onnx::read_model(folder_ / "open.onnx");
  EXPECT_FALSE((*open.inputs.front().type.dims)[2].known());
  EXPECT_EQ(open.opset(), 17);
  EXPECT_EQ(decoded.status, 1);
  EXPECT_THAT(decoded.errors, HasSubstr("--head decoded is for .pt"));
  EXPECT_EQ(odd.status, 1);
}

TEST_F(CommandLineTraining, ExportsWeightsForPyTorch) {
  must(train("runs", "1"));

  must({"export", "--weights", "runs/best.ckpt", "--out", "weights.pt"});
  const auto simplified =
      yoloq({"export", "--weights", "runs/best.ckpt", "--simplify", "--out", "weights.pt"});

  const auto tensors = checkpoint::read_state_dict(folder_ / "weights.pt");
  const auto best = pipeline::read_training_checkpoint(folder_ / "runs/best.ckpt");
  std::size_t found = 0;
  for (const auto& [name, tensor] : tensors) {
    if (name.ends_with(".anchors")) continue;
    EXPECT_EQ(tensor, best.model.constants.at(name)) << name;
    ++found;
  }
  EXPECT_GT(found, 200U);
  EXPECT_EQ(simplified.status, 2);
}

TEST_F(CommandLineTraining, QuantizedItIsExportedWithItsQuantizers) {
  must(train("float"));

  must(qat("qat", "float/best.ckpt"));
  must({"export", "--weights", "qat/best.ckpt", "--img", "64", "--out", "int8.onnx"});
  must({"export", "--weights", "qat/best.ckpt", "--dynamic", "--out", "open.onnx"});
  must({"export", "--weights", "qat/best.ckpt", "--out", "weights.pt"});
  must({"eval", "--weights", "float/best.ckpt", "--model", "qat/best.ckpt", "--img", "64", "--data",
        "shapes/data.yaml", "--latency-seconds", "0"});

  EXPECT_GT(pipeline::count_layers(onnx::read_model(folder_ / "int8.onnx")).int8, 20);
  EXPECT_GT(pipeline::count_layers(onnx::read_model(folder_ / "open.onnx")).int8, 20);
  EXPECT_THAT(yoloq(qat("again", "qat/best.ckpt")).errors, HasSubstr("quantized already"));
}

TEST_F(CommandLineTraining, KilledAndResumedItGivesTheBytesOfAnUnbrokenOne) {
  expect_same_bytes_when_killed(train("whole", "6"), train("killed", "6"), "whole", "killed");
}

TEST_F(CommandLineTraining, KilledAndResumedQuantizedItGivesTheBytesOfAnUnbrokenOne) {
  must(train("float", "2"));
  expect_same_bytes_when_killed(qat("whole", "float/last.ckpt"), qat("killed", "float/last.ckpt"),
                                "whole", "killed");
}

TEST_F(CommandLineTraining, StartsWithANewHeadForOtherClasses) {
  test::write_checkpoint(test::tiny_model({.classes = 5}), folder_ / "five.pt");

  const std::string said =
      must(Words{"train", "--weights", "five.pt", "--epochs", "1"} + common("runs"));

  EXPECT_THAT(said, HasSubstr("notice: 'five.pt' has 5 classes, the data set 3"));
  EXPECT_EQ(pipeline::load_model(folder_ / "runs/last.ckpt").head.class_count, 3);
}

TEST_F(CommandLineTraining, StartsWithANewHeadFromItsOwnCheckpointAndQuantizesNoOther) {
  must(train("three", "1"));
  must({"dataset", "shapes", "--out", "two", "--images", "6", "--val", "2", "--img", "64",
        "--classes", "2"});
  const Words other{"--weights", "three/last.ckpt", "--data", "two/data.yaml", "--img",
                    "64",        "--epochs",        "1"};

  const std::string said = must(Words{"train", "--out", "again"} + other);
  const auto refused = yoloq(Words{"qat", "--out", "quantized"} + other);

  EXPECT_THAT(said, HasSubstr("notice: 'three/last.ckpt' has 3 classes, the data set 2"));
  EXPECT_EQ(pipeline::load_model(folder_ / "again/last.ckpt").head.class_count, 2);
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.errors, HasSubstr("has 2 classes, the model 3"));
}

TEST_F(CommandLineTraining, NamesTheClassesOfTheDataSetWhateverItStartsFrom) {
  must(train("first", "1"));
  test::write_checkpoint(test::tiny_model(), folder_ / "three.pt");
  write_file(folder_ / "shapes/other.yaml",
             "train: images/train\nval: images/val\nnames: [apple, pear, plum]\n");

  for (const auto* weights : {"first/last.ckpt", "three.pt"}) {
    must({"train", "--weights", weights, "--data", "shapes/other.yaml", "--img", "64", "--epochs",
          "1", "--exist-ok", "--out", "renamed"});

    const auto renamed = pipeline::read_training_checkpoint(folder_ / "renamed/last.ckpt");
    EXPECT_EQ(renamed.model.metadata.at("names"), "{0: 'apple', 1: 'pear', 2: 'plum'}") << weights;
  }
}

TEST_F(CommandLineTraining, TellsOfHyperparametersWithoutEffect) {
  write_file(folder_ / "hyp.yaml", "lr0: 0.01\nmosaik: 1\ncopy_paste: 0.1\n");
  write_file(folder_ / "bad.yaml", "lr0: 0.01\nmosaic: 2\n");
  test::write_checkpoint(test::tiny_model(), folder_ / "three.pt");
  // There is no such split: training ends before its first image.
  const Words nothing{"--split", "none"};

  for (const Words& words : {train("runs") + nothing, qat("runs", "three.pt") + nothing}) {
    const auto built_in = yoloq(words);
    const auto mine = yoloq(words + Words{"--hyp", "hyp.yaml"});
    const auto refused = yoloq(words + Words{"--hyp", "bad.yaml"});

    EXPECT_THAT(built_in.errors, HasSubstr("'none:'"));
    EXPECT_THAT(built_in.output, Not(HasSubstr("notice: hyp.")));
    EXPECT_THAT(mine.errors, HasSubstr("'none:'"));
    EXPECT_THAT(mine.output,
                AllOf(HasSubstr("notice: hyp.yaml:2: 'mosaik' is unknown: no such hyper-parameter; "
                                "was 'mosaic' meant?"),
                      HasSubstr("notice: hyp.yaml:3: 'copy_paste' is unused: objects are pasted"),
                      Not(HasSubstr("'lr0'")), Not(HasSubstr("missing"))));
    EXPECT_THAT(refused.errors, HasSubstr("bad.yaml:2: 'mosaic' is '2', expected a number"));
    EXPECT_EQ(refused.status, 1);
  }
}

TEST_F(CommandLineTraining, UpdatesOncePerBatchWhenQuantizedUnlessToldOtherwise) {
  const auto nominal_batch = [&](Words words, const std::string& batch_size) {
    *std::next(std::ranges::find(words, "--batch-size")) = batch_size;
    *std::next(std::ranges::find(words, "--epochs")) = "1";
    must(words);
    const auto last = pipeline::read_training_checkpoint(folder_ / words.back() / "last.ckpt");
    return nlohmann::json::parse(last.training).at("recipe").at("nominal_batch").get<int>();
  };
  const Words eight = qat("eight", "float/last.ckpt");
  const Words told =
      Words{"qat", "--exist-ok", "--nominal-batch", "8"} + Words(eight.begin() + 1, eight.end());

  EXPECT_EQ(nominal_batch(train("float"), "4"), 64);
  EXPECT_EQ(nominal_batch(eight, "24"), 24);
  EXPECT_EQ(nominal_batch(told, "4"), 8);
  EXPECT_THAT(must({"train", "--help"}), HasSubstr("=64\n"));
  EXPECT_THAT(must({"qat", "--help"}), HasSubstr("=as --batch-size\n"));
}

TEST_F(CommandLineTraining, NeedsNoLabelsWhereTheFloatModelTeaches) {
  must(train("runs", "1"));
  const Words quantized = qat("labelled", "runs/last.ckpt") + Words{"--no-val"};
  must(quantized);
  fs::remove_all(folder_ / "shapes/labels");

  must(qat("bare", "runs/last.ckpt") + Words{"--no-val"});
  const auto refused = yoloq(qat("taught", "runs/last.ckpt") + Words{"--no-val", "--labels"});

  EXPECT_TRUE(bytes("bare/results.csv") == bytes("labelled/results.csv"));
  EXPECT_EQ(pipeline::read_training_checkpoint(folder_ / "bare/last.ckpt").model.constants,
            pipeline::read_training_checkpoint(folder_ / "labelled/last.ckpt").model.constants);
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.errors, HasSubstr("none of the 12 images has a label file"));
}

TEST_F(CommandLineTraining, SaysBeforeCalibrationWhatCannotBeTrained) {
  must(train("runs", "1"));
  const auto refused = [&](const Words& more, const std::string& out = "none") {
    const auto finished = yoloq(qat(out, "runs/last.ckpt") + more);
    EXPECT_EQ(finished.status, 1);
    EXPECT_THAT(finished.output + finished.errors, Not(HasSubstr("calibrate: ")));
    return finished.errors;
  };

  EXPECT_THAT(refused({"--amp"}), HasSubstr("for CUDA"));
  EXPECT_THAT(refused({"--target", "onnxruntime"}), HasSubstr("--freeze-scales"));
  EXPECT_THAT(refused({"--resume"}), HasSubstr("there is no 'none/last.ckpt' to go on from"));
  EXPECT_THAT(refused({}, "runs"), HasSubstr("'runs' holds a training already"));
}

TEST_F(CommandLineTraining, GivesAModelOfAYamlTheWeightsThatFitIt) {
  write_file(folder_ / "hyp.yaml", "lr0: 0\nwarmup_epochs: 0\n");
  const auto start = model::read_model_yaml("yolov5p.yaml", {.class_count = 5, .seed = 7});
  test::write_checkpoint(start, folder_ / "start.pt", {.dtype = DType::f32});
  const graph::Graph expected = model::emit(start);

  const std::string said = must(
      train("runs", "1") + Words{"--weights", "start.pt", "--hyp", "hyp.yaml", "--freeze-norm"});
  const std::string again = must(train("again", "1") + Words{"--weights", "runs/last.ckpt"});

  EXPECT_THAT(said, HasSubstr("notice: 285 of 291 tensors were taken from 'start.pt'"));
  EXPECT_THAT(again, HasSubstr("notice: 291 of 291 tensors were taken from 'runs/last.ckpt'"));
  const graph::Graph trained = pipeline::read_training_checkpoint(folder_ / "runs/last.ckpt").model;
  EXPECT_EQ(trained.metadata.at("nc"), "3");
  EXPECT_EQ(trained.constants.at("model.24.m.0.weight").shape()[0], 3 * (5 + 3));
  for (const auto* name : {"model.0.conv.weight", "model.23.cv3.conv.weight"}) {
    EXPECT_THAT(trained.constants.at(name).to_floats(),
                Pointwise(FloatNear(1e-6f), expected.constants.at(name).to_floats()))
        << name;
  }
}

TEST_F(CommandLineTraining, WithoutRoomForACheckpointTheEarlierOneStays) {
  must(train("runs", "1"));
  const std::string last = bytes("runs/last.ckpt");
  const std::string best = bytes("runs/best.ckpt");
  const Words command =
      Words{"bash", "-c", "trap '' XFSZ; ulimit -f 64 && exec \"$@\"", "bash"} +
      test::yoloq_command(folder_.path(), train("runs", "1") + Words{"--seed", "5", "--exist-ok"});

  const auto finished = test::run_command(command);

  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.errors, HasSubstr("cannot write 'runs/"));
  EXPECT_TRUE(bytes("runs/last.ckpt") == last);
  EXPECT_TRUE(bytes("runs/best.ckpt") == best);
  EXPECT_THAT(test::files_below(folder_.path()), Each(Not(HasSubstr(".tmp"))));
}

TEST_F(CommandLineTraining, NamesWhatIsWrong) {
  const auto refused = [&](const Words& words, int status) {
    const auto finished = yoloq(words);
    EXPECT_EQ(finished.status, status) << finished.errors;
    return finished.errors;
  };
  const Words data{"--data", "shapes/data.yaml", "--img", "64", "--out", "none"};
  write_file(folder_ / "empty.yaml", "train: shapes/empty\nval: shapes/empty\nnames: [a, b, c]\n");
  fs::create_directories(folder_ / "shapes/empty");
  write_file(folder_ / "odd.ckpt", "garbage");

  EXPECT_THAT(refused(Words{"train"} + data, 2), HasSubstr("--cfg"));
  test::write_checkpoint(test::tiny_model({.width = 12}), folder_ / "other.pt");
  EXPECT_THAT(refused(Words{"train", "--cfg", "yolov5p.yaml", "--weights", "other.pt"} + data, 1),
              HasSubstr("'other.pt': none of its tensors has the name and shape"));
  EXPECT_THAT(refused(Words{"train", "--cfg", "yolov5p.yaml", "--weights", "none.pt"} + data, 1),
              HasSubstr("none.pt"));
  EXPECT_THAT(refused(Words{"train", "--cfg", "none.yaml"} + data, 1), HasSubstr("none.yaml"));
  EXPECT_THAT(refused(Words{"train", "--weights", "odd.ckpt"} + data, 1), HasSubstr("odd.ckpt"));
  EXPECT_THAT(refused(Words{"train", "--weights", "none.ckpt"} + data, 1), HasSubstr("none.ckpt"));
  EXPECT_THAT(refused(Words{"train", "--cfg", "yolov5p.yaml", "--resume"} + data, 1),
              HasSubstr("none/last.ckpt"));
  EXPECT_THAT(refused(Words{"train", "--cfg", "yolov5p.yaml", "--device", "tpu"} + data, 1),
              HasSubstr("known: cpu, cuda, cuda:N"));
  EXPECT_THAT(refused(Words{"train", "--cfg", "yolov5p.yaml", "--device", "123"} + data, 1),
              HasSubstr("no device 'cuda:123'"));
  EXPECT_THAT(refused({"train", "--cfg", "yolov5p.yaml", "--data", "empty.yaml", "--img", "64",
                       "--out", "none"},
                      1),
              HasSubstr("no image"));
  EXPECT_THAT(refused({"train", "--cfg", "yolov5p.yaml", "--data", "shapes/data.yaml", "--img",
                       "70", "--out", "none"},
                      1),
              HasSubstr("32"));
  EXPECT_THAT(refused({"train", "--cfg", "yolov5p.yaml", "--data", "shapes/data.yaml", "--img",
                       "64", "96", "--out", "none"},
                      1),
              HasSubstr("square"));
  for (const Words& unlearned : {Words{"--freeze-scales"}, Words{"--moving-ranges", "0.01"}}) {
    EXPECT_THAT(
        refused(Words{"qat", "--weights", "a.pt", "--scale-lr", "0.1"} + unlearned + data, 2),
        HasSubstr(unlearned.front() + " excludes --scale-lr"));
  }
  EXPECT_FALSE(fs::exists(folder_ / "none/last.ckpt"));
}

TEST_F(CommandLineTraining, WithoutMemoryForABatchSaysWhichWouldFit) {
  must({"dataset", "shapes", "--out", "many", "--images", "2048", "--val", "1", "--img", "64"});
  const Words words{
      "train",        "--cfg", "yolov5p.yaml",    "--data", "many/data.yaml", "--img", "64",
      "--batch-size", "2048",  "--nominal-batch", "2048",   "--out",          "large", "--no-val",
      "--threads",    "1",     "--epochs",        "1"};
  // Half of the batch fits with room to spare. Each thread of a library takes its part, wanted or
  // not.
  const Words command = Words{"bash", "-c",
                              "export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1; "
                              "ulimit -v 2200000 && exec \"$@\"",
                              "bash"} +
                        test::yoloq_command(folder_.path(), words);

  const auto finished = test::run_command(command);

  EXPECT_EQ(finished.status, 1) << finished.errors;
  EXPECT_THAT(finished.errors,
              HasSubstr("a batch of 2048 images of 64 pixels does not fit into the memory of"));
  EXPECT_THAT(finished.errors, ContainsRegex("--batch-size (1024|512|256|128) does"));
  EXPECT_FALSE(fs::exists(folder_ / "large/last.ckpt"));
}

TEST_F(CommandLineTraining, SaysWhyThereIsNoGpu) {
  if (fs::exists("/dev/nvidia0")) GTEST_SKIP() << "there is one here";

  const auto finished = yoloq(train("runs", "1") + Words{"--device", "cuda"});

  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.errors, HasSubstr("CUDA"));
}

}  // namespace
}  // namespace yoloq
