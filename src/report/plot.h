// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace yoloq::report {

/// How the points of a series are drawn.
enum class Mark {
  lines,
  points,
  linked_points,
  columns,  ///< Of one width: a histogram.
  steps,    ///< The outline of such columns, for histograms that lie on each other.
};

/// Points of one colour.
struct Series {
  std::string name;  ///< In the key; empty: not there.
  std::vector<double> x = {};
  std::vector<double> y = {};           ///< As many as x.
  std::vector<std::string> notes = {};  ///< Beside the points; empty, or as many as x.
  Mark mark = Mark::lines;

  void add(double at_x, double at_y) {
    x.push_back(at_x);
    y.push_back(at_y);
  }
};

/// Bars to the right, one below the other, with a name at each: readable for sixty of them.
struct Bars {
  std::vector<std::string> names;                         ///< From the top.
  std::vector<Series> series;                             ///< y: one value per name; x is not used.
  std::vector<std::pair<double, double>> intervals = {};  ///< Of the first series; may be empty.
};

/// A vertical line across the plot.
struct Line {
  double at = 0;
  std::string name;
};

/// Marks in a plane with two axes.
struct Chart {
  std::vector<Series> series;
  std::vector<Line> lines = {};
  bool log_y = false;
  double column_width = 0;  ///< Of Mark::columns, in units of x.
  std::optional<std::pair<double, double>> x_range = std::nullopt;  ///< Absent: of the points.
  std::optional<std::pair<double, double>> y_range = std::nullopt;
};

/// What a plot shows; to_svg() in gnuplot.h draws it. Has a chart or bars, not both.
struct Plot {
  std::string title;
  std::string x_label;
  std::string y_label = "";
  std::optional<Chart> chart = std::nullopt;
  std::optional<Bars> bars = std::nullopt;
};

}  // namespace yoloq::report
