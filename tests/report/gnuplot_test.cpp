// SPDX-License-Identifier: Apache-2.0
#include "report/gnuplot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <string>

#include "core/error.h"
#include "report/sections.h"
#include "report/some_run.h"
#include "support/data.h"

namespace yoloq::report {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kHostile =
    "<script>alert('1')</script> \"`reboot`\" $x \\ {/Bold y}\nEOD\nquit";

Plot bars_of(const std::string& text) {
  return {.title = text,
          .x_label = text,
          .bars = Bars{.names = {text, "second"}, .series = {{.name = text, .y = {1.0, -2.0}}}}};
}

Plot chart_of(const std::string& text, Mark mark) {
  return {.title = text,
          .x_label = text,
          .y_label = text,
          .chart = Chart{.series = {{.name = text,
                                     .x = {1, 2, 3},
                                     .y = {4, 5, 6},
                                     .notes = {text, "b", "c"},
                                     .mark = mark}},
                         .lines = {{1.5, text}}}};
}

bool has_gnuplot() { return test::run_command({"gnuplot", "--version"}).status == 0; }

class EveryMark : public testing::TestWithParam<Mark> {};

TEST_P(EveryMark, IsDrawnWithTextThatIsOnlyText) {
  if (!has_gnuplot()) GTEST_SKIP() << "no gnuplot: run tools/setup.sh";

  const std::string svg = to_svg(chart_of(kHostile, GetParam()));

  EXPECT_THAT(svg, AllOf(StartsWith("<svg"), testing::EndsWith("</svg>")));
  EXPECT_THAT(svg, AllOf(HasSubstr("&lt;script"), Not(HasSubstr("<script>alert"))));
  EXPECT_THAT(svg, AllOf(HasSubstr("`reboot`"), HasSubstr("{/Bold y}"), HasSubstr("EOD quit")));
  EXPECT_EQ(to_svg(chart_of(kHostile, GetParam())), svg);
}

INSTANTIATE_TEST_SUITE_P(Of, EveryMark,
                         testing::Values(Mark::lines, Mark::points, Mark::linked_points,
                                         Mark::columns, Mark::steps),
                         [](const auto& row) {
                           return "Mark" + std::to_string(static_cast<int>(row.param));
                         });

TEST(Gnuplot, DrawsBarsWithTheirNames) {
  if (!has_gnuplot()) GTEST_SKIP() << "no gnuplot: run tools/setup.sh";

  const std::string svg = to_svg(bars_of(kHostile));

  EXPECT_THAT(
      svg, AllOf(HasSubstr("second"), HasSubstr("&lt;/script"), Not(HasSubstr("<script>alert"))));
}

TEST(Gnuplot, DrawsEveryPlotOfAReport) {
  if (!has_gnuplot()) GTEST_SKIP() << "no gnuplot: run tools/setup.sh";
  const SomeRun folder;

  std::size_t plots = 0;
  for (const Section& section : make_document(read_run(folder.path())).sections) {
    for (const Block& block : section.blocks) {
      const auto* figure = std::get_if<Figure>(&block);
      if (figure == nullptr) continue;
      EXPECT_THAT(to_svg(figure->plot), StartsWith("<svg")) << figure->plot.title;
      ++plots;
    }
  }

  EXPECT_EQ(plots, 14u);
}

TEST(Gnuplot, GivesEachOfSixtyBarsItsRoom) {
  if (!has_gnuplot()) GTEST_SKIP() << "no gnuplot: run tools/setup.sh";
  Plot plot{.title = "t", .x_label = "x", .bars = Bars{.series = {{.name = ""}}}};
  for (int i = 0; i < 60; ++i) {
    plot.bars->names.push_back("layer " + std::to_string(i) + ".");
    plot.bars->series.front().y.push_back(60 - i);
  }

  const std::string svg = to_svg(plot);

  for (const std::string& name : plot.bars->names) EXPECT_THAT(svg, HasSubstr(name + "<"));
  const std::size_t height = svg.find("height=\"") + 8;
  EXPECT_GE(std::stoi(svg.substr(height)), 60 * 12 + 100);  // Pixels that a line of text needs.
}

TEST(Gnuplot, RefusesWhatCannotBeDrawn) {
  Plot empty = chart_of("t", Mark::lines);
  empty.chart->series.front() = {.name = "none"};
  Plot ragged = chart_of("t", Mark::lines);
  ragged.chart->series.front().x.pop_back();
  Plot infinite = chart_of("t", Mark::lines);
  infinite.chart->series.front().y[1] = std::numeric_limits<double>::infinity();
  Plot short_bars = bars_of("t");
  short_bars.bars->series.front().y.pop_back();
  Plot no_bars = bars_of("t");
  no_bars.bars->names.clear();

  for (const Plot& plot : {empty, ragged, infinite, short_bars, no_bars}) {
    EXPECT_THROW(to_script(plot), Error);
  }
}

TEST(Gnuplot, SaysWhatToInstallWhereItIsMissing) {
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", "/nowhere", 1);
  std::string message;
  try {
    to_svg(chart_of("t", Mark::lines));
  } catch (const Error& error) {
    message = error.what();
  }
  ::setenv("PATH", path.c_str(), 1);

  EXPECT_THAT(message, HasSubstr("apt-get install gnuplot-nox"));
}

}  // namespace
}  // namespace yoloq::report
