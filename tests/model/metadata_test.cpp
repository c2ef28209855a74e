// SPDX-License-Identifier: Apache-2.0
#include "model/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace yoloq::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

/// A graph with one metadata entry.
graph::Graph with(const std::string& key, const std::string& text) {
  graph::Graph graph;
  graph.metadata[key] = text;
  return graph;
}

TEST(Metadata, ReadsBackWhatItWrote) {
  ModelInfo info;
  info.names = {"person", "driver's cab", "a \"b\" 'c'", "ünï\\\n"};
  info.strides = {8, 16, 32};
  info.max_stride = 32;
  info.anchors = {{{10, 13}, {16.25f, 30}}, {{0.1f, 61}}, {{116, 90}}};
  info.class_count = 4;
  info.task = "detect";
  info.origin = {{"date", "2022-03-18"}};
  graph::Graph graph;

  write_metadata(graph, info);

  EXPECT_EQ(read_metadata(graph), info);
}

TEST(Metadata, WritesTheLiteralsOfUltralyticsExporter) {
  ModelInfo info;
  info.names = {"person", "driver's cab"};
  info.strides = {8, 16};
  info.max_stride = 16;
  info.anchors = {{{10, 13}, {16.5f, 30}}, {{1, 2}}};
  info.class_count = 2;
  graph::Graph graph;

  write_metadata(graph, info);

  EXPECT_EQ(graph.metadata.at("names"), "{0: 'person', 1: \"driver's cab\"}");
  EXPECT_EQ(graph.metadata.at("stride"), "16");
  EXPECT_EQ(graph.metadata.at("strides"), "[8,16]");
  EXPECT_EQ(graph.metadata.at("anchors"), "[[[10,13],[16.5,30]],[[1,2]]]");
  EXPECT_EQ(graph.metadata.at("nc"), "2");
}

TEST(Metadata, CountsTheNamesOfAForeignFile) {
  graph::Graph graph = with("names", "{0: 'duckie', 1: 'cone'}");
  graph.metadata["stride"] = "32";

  const ModelInfo info = read_metadata(graph);

  EXPECT_EQ(info.class_count, 2);
  EXPECT_EQ(info.max_stride, 32);
  EXPECT_THAT(info.strides, SizeIs(0));
  EXPECT_THAT(info.anchors, SizeIs(0));
}

TEST(Metadata, LeavesOtherKeysAlone) {
  graph::Graph graph = with("author", "somebody");

  write_metadata(graph, {.names = {"a"}});

  EXPECT_EQ(graph.metadata.at("author"), "somebody");
}

TEST(Metadata, NamesTheKeyThatItCannotRead) {
  for (const auto* key : {"names", "strides", "stride", "anchors", "nc"}) {
    try {
      read_metadata(with(key, "{0: oops"));
      ADD_FAILURE() << key << " was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt_file);
      EXPECT_THAT(error.what(), HasSubstr(key));
    }
  }
}

TEST(Names, AreReadFromEveryFormInUse) {
  EXPECT_THAT(parse_names("['a', 'b']"), ElementsAre("a", "b"));
  EXPECT_THAT(parse_names("(\"a\", 'b',)"), ElementsAre("a", "b"));
  EXPECT_THAT(parse_names("{0: 'a', 1: 'b'}"), ElementsAre("a", "b"));
  EXPECT_THAT(parse_names(" { 1 : 'b' , 0 : 'a' , } "), ElementsAre("a", "b"));
  EXPECT_THAT(parse_names(R"({"0": "a", "1": "b"})"), ElementsAre("a", "b"));
  EXPECT_THAT(parse_names("{0: u'a', 1: 7}"), ElementsAre("a", "7"));
  EXPECT_THAT(parse_names("{2: 'c', 0: 'a'}"), ElementsAre("a", "1", "c"));
  EXPECT_THAT(parse_names("{}"), SizeIs(0));
}

TEST(Names, MayHoldEscapesAndSyntax) {
  EXPECT_THAT(parse_names(R"(['it\'s', "say \"x\"", 'a\\b', 'x\x41\u00fc\n', '}, 1: {'])"),
              ElementsAre("it's", "say \"x\"", "a\\b", "xA\u00fc\n", "}, 1: {"));
  EXPECT_THAT(parse_names(R"(["\ud83d\ude00"])"), ElementsAre("\U0001F600"));
}

TEST(Names, ThatCannotBeReadAreRefused) {
  for (const auto* text :
       {"", "{", "[", "['a'", "['a", "['a' 'b']", "{0 'a'}", "{0: 'a'} x", "{-1: 'a'}",
        "{0.5: 'a'}", "{1e12: 'a'}", "{'x': 'a'}", "{0: ['a']}", "'a'", "7", "['\\x4']", "[nan]",
        "[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]"}) {
    EXPECT_THROW(parse_names(text), Error) << text;
  }
}

}  // namespace
}  // namespace yoloq::model
