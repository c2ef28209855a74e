// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/file.h"
#include "report/document.h"

namespace yoloq::report {

/// Draws a plot as an <svg> element: to_svg() of gnuplot.h, or what a test puts in its place.
using Draw = std::function<std::string(const Plot&)>;

/// One page that needs nothing else, neither files nor a network: plots as SVG, pictures as data,
/// for light and dark screens. Tables sort by a column whose head is clicked on.
std::string to_html(const Document& document, const Draw& draw);

/// Markdown at `path`, with plots and pictures as files in a folder beside it that is named after
/// it: "report.md" and "report.files/1.svg". Written together with write_files().
std::vector<FileContent> to_markdown(const Document& document, const std::filesystem::path& path,
                                     const Draw& draw);

/// For machines: sections with their tables, texts, the points of plots, and what is missing. No
/// pictures. {"format": "yoloq report", "version": 1, ...}
std::string to_json(const Document& document);

}  // namespace yoloq::report
