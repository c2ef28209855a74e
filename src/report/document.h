// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "report/plot.h"

/// @file
/// What a report says, apart from how it is written.
///
///     run folder ─▶ read_run ─▶ RunFolder ─▶ sections ─▶ Document ─┬─▶ to_html      one page
///                                                            ├─▶ to_markdown  with files beside
///                                                            └─▶ to_json      for machines
///
/// To add a part: write src/report/<part>_section.cpp with a function RunFolder -> Section, then
/// add a row in sections.cpp. Text may hold anything; whoever writes it out escapes it.

namespace yoloq::report {

/// The head of what follows in a section, up to the next one.
struct Heading {
  std::string words;
};

/// A paragraph.
struct Text {
  std::string words;
};

/// What is not in the folder, and the command that would put it there.
struct Missing {
  std::string what;     ///< "no sensitivity file in the folder".
  std::string command;  ///< Empty: there is none.
};

/// Rows of cells; all as long as the header.
struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::string folded = {};  ///< If not empty, the table is shown when this is clicked on.
};

/// A plot with words below it.
struct Figure {
  Plot plot;
  std::string caption = {};
};

/// Pictures that stand beside each other, with words below them.
struct Pictures {
  std::vector<std::string> jpegs;  ///< Bytes of files.
  std::string caption;
};

using Block = std::variant<Heading, Text, Missing, Table, Figure, Pictures>;

/// One part of a report.
struct Section {
  std::string title;
  std::vector<Block> blocks;
};

struct Document {
  std::string title;
  std::vector<Section> sections;
};

}  // namespace yoloq::report
