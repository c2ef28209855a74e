// SPDX-License-Identifier: Apache-2.0
#include "report/writers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "report/sections.h"
#include "report/some_run.h"

namespace yoloq::report {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

/// Stands in for gnuplot.
std::string fake_svg(const Plot& plot) {
  return "<svg>" + std::to_string(plot.chart ? plot.chart->series.size() : 0) + "</svg>";
}

Document whole_document() {
  const SomeRun folder;
  return make_document(read_run(folder.path()));
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++count;
  return count;
}

TEST(Html, HoldsEverythingAndFetchesNothing) {
  const std::string html = to_html(whole_document(), fake_svg);

  EXPECT_THAT(html, AllOf(testing::StartsWith("<!DOCTYPE html>"), HasSubstr("<svg>"),
                          HasSubstr("src=\"data:image/jpeg;base64,")));
  for (const char* outside : {"http:", "https:", "//cdn", "<link", "@import", "src=\"/"}) {
    EXPECT_THAT(html, Not(HasSubstr(outside)));
  }
}

TEST(Html, EscapesNamesOfFiles) {
  const std::string html = to_html(whole_document(), fake_svg);

  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(1)|`x`.onnx"));
  EXPECT_THAT(html, Not(HasSubstr("<script>alert(1)")));
  EXPECT_EQ(count_of(html, "<script>"), 1u);  // The one that sorts tables.
}

TEST(Html, OpensAndClosesItsElementsInOrder) {
  const std::string html = to_html(whole_document(), fake_svg);

  for (const std::string tag :
       {"section", "h3", "table", "tr", "td", "th", "figure", "details", "div"}) {
    EXPECT_EQ(count_of(html, "<" + tag + ">") + count_of(html, "<" + tag + " "),
              count_of(html, "</" + tag + ">"))
        << tag;
  }
}

TEST(Html, SaysWhatIsMissingAndTheCommand) {
  const Document document{
      .title = "t",
      .sections = {{.title = "s", .blocks = {Missing{"no <file>", "yoloq x \"y\""}}}}};

  EXPECT_THAT(to_html(document, fake_svg),
              HasSubstr("no &lt;file&gt;; run <code>yoloq x &quot;y&quot;</code>"));
}

TEST(Markdown, PutsPlotsAndPicturesIntoAFolderBeside) {
  const auto files = to_markdown(whole_document(), "out/report.md", fake_svg);

  EXPECT_EQ(files.back().path, "out/report.md");
  const std::string& text = files.back().content;
  ASSERT_GT(files.size(), 3u);
  for (std::size_t i = 0; i + 1 < files.size(); ++i) {
    EXPECT_EQ(files[i].path.parent_path(), "out/report.files");
    EXPECT_THAT(text, HasSubstr("](<report.files/" + files[i].path.filename().string() + ">)"));
  }
}

TEST(Markdown, EscapesNamesOfFiles) {
  const auto files = to_markdown(whole_document(), "report.md", fake_svg);
  const std::string& text = files.back().content;

  EXPECT_THAT(text, HasSubstr("&lt;script&gt;alert(1)\\|\\`x\\`.onnx"));
  EXPECT_THAT(text, Not(HasSubstr("<script>")));
}

TEST(EveryWriter, PutsHeadingsBelowTheirSection) {
  const Document document{.title = "t", .sections = {{.title = "s", .blocks = {Heading{"a <b>"}}}}};

  EXPECT_THAT(to_html(document, fake_svg), HasSubstr("<h2>s</h2>\n<h3>a &lt;b&gt;</h3>"));
  EXPECT_EQ(to_markdown(document, "report.md", fake_svg).back().content,
            "# t\n\n## s\n\n### a &lt;b&gt;\n");
  const auto block = nlohmann::json::parse(to_json(document))["sections"][0]["blocks"][0];
  EXPECT_EQ(block.at("kind"), "heading");
  EXPECT_EQ(block.at("words"), "a <b>");
}

TEST(Json, HoldsTablesPointsAndWhatIsMissing) {
  const SomeRun folder;
  folder.remove("sens.json");

  const auto json = nlohmann::json::parse(to_json(make_document(read_run(folder.path()))));

  EXPECT_EQ(json.at("format"), "yoloq report");
  EXPECT_EQ(json.at("version"), 1);
  ASSERT_THAT(json.at("sections"), SizeIs(13));
  EXPECT_EQ(json["sections"][0].at("blocks").at(0).at("rows").at(1).at(0), kHostileName);
  bool missing = false;
  bool points = false;
  for (const auto& section : json["sections"]) {
    for (const auto& block : section.at("blocks")) {
      missing = missing ||
                (block.at("kind") == "missing" && section.at("title") == "Sensitivity of layers");
      points = points || (block.at("kind") == "plot" && !block["plot"]["series"].empty());
    }
  }
  EXPECT_TRUE(missing);
  EXPECT_TRUE(points);
}

TEST(Json, TakesNamesThatAreNoUtf8) {
  const Document document{.title = "a\xE9", .sections = {}};

  EXPECT_EQ(nlohmann::json::parse(to_json(document)).at("title"), "a\uFFFD");
}

}  // namespace
}  // namespace yoloq::report
