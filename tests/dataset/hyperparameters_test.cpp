// SPDX-License-Identifier: Apache-2.0
#include "dataset/hyperparameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/error.h"
#include "core/file.h"
#include "support/data.h"
#include "support/message.h"

namespace yoloq::dataset {
namespace {

using test::message_when;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = HypFinding::Kind;

std::string parse_message(const std::string& yaml) {
  return message_when([&] { parse_hyperparameters(yaml, "hyp.yaml"); });
}

/// "kind key where: what" of what is not missing.
std::vector<std::string> findings_in(const std::string& yaml) {
  std::vector<std::string> lines;
  for (const HypFinding& found : check_hyperparameters(yaml, "hyp.yaml")) {
    if (found.kind == Kind::missing) continue;
    lines.push_back(std::string(name_of(found.kind)) + " " + found.key + " " + found.where + ": " +
                    found.what);
  }
  return lines;
}

TEST(Hyperparameters, AreReadAsUltralyticsWritesThem) {
  const Hyperparameters read = parse_hyperparameters(
      "# a comment\nlr0: 1E-3  # initial\nmosaic:   1.0\ndegrees: .5\nwarmup_epochs: 2\n"
      "anchors: 3\nsomething: [1, 2]\n",
      "hyp.yaml");

  Hyperparameters expected;
  expected.lr0 = 1e-3;
  expected.mosaic = 1;
  expected.degrees = 0.5;
  expected.warmup_epochs = 2;
  EXPECT_EQ(read, expected);
}

TEST(Hyperparameters, ThatCannotBeAreNamedWithTheirLine) {
  EXPECT_THAT(parse_message("lr0: 0.1\nmosaic: 1.5\n"),
              HasSubstr("hyp.yaml:2: 'mosaic' is '1.5', expected a number from 0 to 1"));
  EXPECT_THAT(parse_message("scale: yes\n"), HasSubstr("'scale' is 'yes', expected a number"));
  EXPECT_THAT(parse_message("scale: nan\n"), HasSubstr("'scale' is 'nan'"));
  EXPECT_THAT(parse_message("scale: [1]\n"), HasSubstr("'scale' is ''"));
  EXPECT_THAT(parse_message("anchor_t: 0.5\n"), HasSubstr("a number above 1 to 1000"));
  EXPECT_THAT(parse_message("anchor_t: 1.0\n"), HasSubstr("'anchor_t' is '1.0'"));
  EXPECT_THAT(parse_message("box: 1\nbox: 2\n"), HasSubstr("hyp.yaml:2: 'box' stands in line 1"));
  EXPECT_THAT(parse_message("just words"), HasSubstr("hyp.yaml:1: expected lines such as"));
  EXPECT_THAT(parse_message("a: [1"), HasSubstr("hyp.yaml:"));
  EXPECT_THAT(parse_message(""), HasSubstr("expected lines such as"));
  EXPECT_THAT(parse_message(std::string(2 << 20, ' ')), HasSubstr("too many for"));
}

TEST(Hyperparameters, AnAnchorMayDifferByAnyFactorAboveOne) {
  EXPECT_EQ(parse_hyperparameters("anchor_t: 1.01\n", "hyp.yaml").anchor_t, 1.01);
  EXPECT_THAT(findings_in("anchor_t: 1\n"),
              ElementsAre("out of range anchor_t hyp.yaml:1: 'anchor_t' is '1', expected a number "
                          "above 1 to 1000"));
}

TEST(Hyperparameters, ComeBackFromTheirText) {
  Hyperparameters written;
  written.lr0 = 0.1 + 0.2;
  written.copy_paste = 0.3;

  EXPECT_EQ(parse_hyperparameters(to_yaml(written), "written"), written);
}

TEST(Hyperparameters, AreBuiltInUnderTheNamesOfTheirFiles) {
  EXPECT_EQ(read_hyperparameters("hyp.scratch.yaml"), Hyperparameters{});
  EXPECT_EQ(read_hyperparameters("hyp.scratch-low.yaml"), Hyperparameters{});
  const Hyperparameters qat = read_hyperparameters("hyp.qat.yaml");
  Hyperparameters expected;
  expected.lr0 = 1e-4;
  expected.lrf = 0.2;
  expected.warmup_epochs = 0;
  EXPECT_EQ(qat, expected);
  EXPECT_EQ(read_hyperparameters("hyp.finetune.yaml").mixup, 0.243);
  for (const std::string& name : builtin_hyperparameters()) {
    EXPECT_THAT(check_hyperparameters(hyperparameters_text(name), name), IsEmpty()) << name;
  }
}

TEST(Hyperparameters, OfAFileGoBeforeThoseBuiltIn) {
  const test::TemporaryFolder folder;
  write_file(folder / "hyp.qat.yaml", "lr0: 0.5\n");

  EXPECT_EQ(read_hyperparameters(folder / "hyp.qat.yaml").lr0, 0.5);
  EXPECT_THAT(message_when([&] { read_hyperparameters(folder / "none.yaml"); }),
              HasSubstr("none.yaml': no such file, and built in are hyp.scratch.yaml, "));
}

TEST(CheckHyperparameters, FindsWhatIsUnknownWrongOrUnused) {
  const auto found = findings_in(
      "lr: 0.01\nanchors: 3\nmosaik: 1\nfrobnicate: 2\nmomentum: 1.5\ncopy_paste: 0.1\n"
      "iou_t: 0.2\nbox: 1\nbox: 1\n");

  EXPECT_THAT(
      found,
      ElementsAre("unknown lr hyp.yaml:1: no such hyper-parameter; was 'lr0' meant?",
                  "unknown anchors hyp.yaml:2: anchors are those of the model; they are not made "
                  "anew",
                  "unknown mosaik hyp.yaml:3: no such hyper-parameter; was 'mosaic' meant?",
                  "unknown frobnicate hyp.yaml:4: no such hyper-parameter; it is left alone",
                  "out of range momentum hyp.yaml:5: 'momentum' is '1.5', expected a number from "
                  "0 to 0.9999",
                  "unused copy_paste hyp.yaml:6: objects are pasted by their outlines, but labels "
                  "are read as boxes",
                  "unused iou_t hyp.yaml:7: no code uses it, nor does Ultralytics'",
                  "out of range box hyp.yaml:9: it stands in line 8 already"));
}

TEST(CheckHyperparameters, ListsWhatTheFileLacksWithItsDefault) {
  std::string yaml = to_yaml({});
  const std::size_t at = yaml.find("hsv_s");
  yaml.erase(at, yaml.find('\n', at) + 1 - at);

  const auto found = check_hyperparameters(yaml, "hyp.yaml");

  EXPECT_THAT(found, testing::Contains(HypFinding{.kind = Kind::missing,
                                                  .key = "hsv_s",
                                                  .where = "hyp.yaml",
                                                  .what = "not in the file: 0.7"}));
}

TEST(CheckHyperparameters, IsFatalJustWhereParsingFails) {
  for (const std::string yaml : {"lr0: 2\n", "lr0: 20\n", "what: 1\n", "box: x\n", "cls: 1\ncls: 1",
                                 "what: 1\nwhat: 2\n", "copy_paste: 1\n"}) {
    const auto found = check_hyperparameters(yaml, "hyp.yaml");

    EXPECT_EQ(std::ranges::any_of(found, &HypFinding::fatal),
              parse_message(yaml) != "nothing was thrown")
        << yaml;
  }
}

}  // namespace
}  // namespace yoloq::dataset
