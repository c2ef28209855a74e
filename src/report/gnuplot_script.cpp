// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "core/error.h"
#include "report/gnuplot.h"

namespace yoloq::report {

namespace {

constexpr int kWidthPx = 840;
constexpr int kHeightPx = 380;
constexpr int kBarPx = 15;     ///< Of a bar with its gap; a name is as high.
constexpr int kFramePx = 170;  ///< Title, axis and key of a plot of bars.
constexpr std::size_t kMostNameLetters = 48;
constexpr std::size_t kMostTitleLetters = 90;

/// Okabe and Ito's colours, told apart by all kinds of eyes; black last.
constexpr std::array<std::string_view, 7> kColours{"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                   "#E69F00", "#56B4E9", "#000000"};

/// Of columns, on which lines are drawn.
constexpr std::string_view kColumnColour = "#8FBBDA";

std::string_view colour(std::size_t series) { return kColours[series % kColours.size()]; }

/// Without what would end a line.
std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return text;
}

/// A string of gnuplot in which nothing is interpreted.
std::string text_string(const std::string& text) {
  std::string result = "'";
  for (const char c : one_line(text)) {
    if (c == '\'') result += c;
    result += c;
  }
  result += '\'';
  return result;
}

/// A cell of data. Cells know no escape for their quote.
std::string cell(const std::string& text) {
  std::string plain = one_line(text);
  std::ranges::replace(plain, '"', '\'');
  std::ranges::replace(plain, '\\', '/');
  return fmt::format("\"{}\"", plain);
}

/// The end of a long name tells more than its beginning.
std::string shortened(const std::string& name, std::size_t most = kMostNameLetters) {
  if (name.size() <= most) return name;
  std::size_t from = name.size() - most;
  while (from < name.size() && (static_cast<unsigned char>(name[from]) & 0xC0) == 0x80) ++from;
  return fmt::format("…{}", name.substr(from));
}

void check(const Series& series) {
  const auto finite = [](double value) { return std::isfinite(value); };
  if (series.x.size() == series.y.size() && std::ranges::all_of(series.x, finite) &&
      std::ranges::all_of(series.y, finite) &&
      (series.notes.empty() || series.notes.size() == series.x.size())) {
    return;
  }
  fail(ErrorCode::bad_argument, "series '{}' cannot be drawn: {} x, {} y, or one is not finite",
       series.name, series.x.size(), series.y.size());
}

std::string head(const Plot& plot, int height) {
  return fmt::format(
      "set terminal svg size {},{} noenhanced font 'sans-serif,13' background '#ffffff'\n"
      "set encoding utf8\n"
      "set title {}\n"
      "set xlabel {}\n"
      "set ylabel {}\n"
      "set border 3 lc rgb '#666666'\n"
      "set tics nomirror\n"
      "set grid lc rgb '#dddddd' lt 1\n"
      "set bmargin 5.5\n"
      "set key at screen 0.5, screen 0.02 center bottom horizontal\n",
      kWidthPx, height, text_string(shortened(plot.title, kMostTitleLetters)),
      text_string(shortened(plot.x_label, kMostTitleLetters)),
      text_string(shortened(plot.y_label)));
}

std::string range(char axis, const std::optional<std::pair<double, double>>& limits) {
  return limits ? fmt::format("set {}range [{}:{}]\n", axis, limits->first, limits->second) : "";
}

std::string data_of(const Series& series, std::size_t index) {
  std::string text = fmt::format("$s{} << EOD\n", index);
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    text += fmt::format("{} {}", series.x[i], series.y[i]);
    if (!series.notes.empty()) text += fmt::format(" {}", cell(shortened(series.notes[i])));
    text += '\n';
  }
  return text + "EOD\n";
}

std::string style_of(Mark mark, std::size_t index) {
  switch (mark) {
    case Mark::lines:
      return fmt::format("with lines lw 2 lc rgb '{}'", colour(index));
    case Mark::points:
      return fmt::format("with points pt 7 ps 0.7 lc rgb '{}'", colour(index));
    case Mark::linked_points:
      return fmt::format("with linespoints lw 2 pt 7 ps 0.8 lc rgb '{}'", colour(index));
    case Mark::columns:
      return fmt::format("with boxes fs solid 1.0 noborder lc rgb '{}'", kColumnColour);
    case Mark::steps:
      return fmt::format("with histeps lw 2 lc rgb '{}'", colour(index));
  }
  return "";
}

std::string title_of(const Series& series) {
  return series.name.empty() ? "notitle"
                             : fmt::format("title {}", text_string(shortened(series.name)));
}

/// The lines, as plots of their own so that the key names them.
std::string lines_of(const Chart& chart) {
  std::string text;
  for (std::size_t i = 0; i < chart.lines.size(); ++i) {
    const Line& line = chart.lines[i];
    text += fmt::format(
        "set arrow from first {},graph 0 to first {},graph 1 nohead front lw 2 dt 2 lc rgb '{}'\n",
        line.at, line.at, colour(chart.series.size() + i));
  }
  return text;
}

std::string chart_script(const Plot& plot) {
  const Chart& chart = *plot.chart;
  std::string text = head(plot, kHeightPx) + range('x', chart.x_range) + range('y', chart.y_range);
  if (chart.log_y) text += "set logscale y\nset format y '1e%T'\n";
  if (chart.column_width > 0) text += fmt::format("set boxwidth {} absolute\n", chart.column_width);
  const bool has_notes =
      std::ranges::any_of(chart.series, [](const Series& series) { return !series.notes.empty(); });
  if (has_notes) text += "set offsets graph 0.03, graph 0.05, graph 0.1, graph 0.05\n";
  text += lines_of(chart);
  std::string plots;
  const auto add = [&plots](const std::string& part) {
    plots += (plots.empty() ? "plot " : ", \\\n  ") + part;
  };
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    const Series& series = chart.series[i];
    check(series);
    if (series.x.empty()) continue;
    text += data_of(series, i);
    add(fmt::format("$s{} using 1:2 {} {}", i, style_of(series.mark, i), title_of(series)));
    if (series.notes.empty()) continue;
    add(fmt::format("$s{} using 1:2:3 with labels left offset 0.7,0.5 font ',11' notitle", i));
  }
  if (plots.empty()) fail(ErrorCode::bad_argument, "plot '{}' has no point", plot.title);
  for (std::size_t i = 0; i < chart.lines.size(); ++i) {
    add(fmt::format("1/0 with lines lw 2 dt 2 lc rgb '{}' title {}",
                    colour(chart.series.size() + i), text_string(shortened(chart.lines[i].name))));
  }
  return text + plots + "\n";
}

std::string bars_script(const Plot& plot) {
  const Bars& bars = *plot.bars;
  const std::size_t rows = bars.names.size();
  if (rows == 0) fail(ErrorCode::bad_argument, "plot '{}' has no bar", plot.title);
  const std::size_t count = bars.series.size();
  const double thick = 0.8 / static_cast<double>(std::max<std::size_t>(count, 1));
  std::string text = head(plot, kFramePx + kBarPx * static_cast<int>((rows + 1) * count));
  text += fmt::format("set yrange [{}:-1]\nset ytics scale 0\n", rows);
  text += "set style fill solid 0.85 noborder\n";
  text += "set arrow from 0,graph 0 to 0,graph 1 nohead lc rgb '#666666'\n";
  std::string plots;
  for (std::size_t s = 0; s < count; ++s) {
    const Series& series = bars.series[s];
    if (series.y.size() != rows) {
      fail(ErrorCode::bad_argument, "plot '{}' has {} names, but {} values of '{}'", plot.title,
           rows, series.y.size(), series.name);
    }
    const bool interval = s == 0 && bars.intervals.size() == rows;
    text += fmt::format("$s{} << EOD\n", s);
    for (std::size_t i = 0; i < rows; ++i) {
      const double top = static_cast<double>(i) - 0.4 + thick * static_cast<double>(s);
      text +=
          fmt::format("{} {} {} {}", series.y[i], top, top + thick, cell(shortened(bars.names[i])));
      if (interval)
        text += fmt::format(" {} {}", bars.intervals[i].first, bars.intervals[i].second);
      text += '\n';
    }
    text += "EOD\n";
    plots += fmt::format(
        "{}$s{} using (0):(($2+$3)/2):(0<$1?0:$1):(0<$1?$1:0):2:3{} with boxxyerror lc rgb '{}' {}",
        plots.empty() ? "plot " : ", \\\n  ", s, s == 0 ? ":ytic(4)" : "", colour(s),
        title_of(series));
    if (interval) {
      plots += fmt::format(
          ", \\\n  $s{} using 1:(($2+$3)/2):5:6 with xerrorbars pt -1 lw 1.5 lc rgb '#000000' "
          "title '95 % interval'",
          s);
    }
  }
  return text + plots + "\n";
}

}  // namespace

std::string to_script(const Plot& plot) {
  return plot.bars ? bars_script(plot) : chart_script(plot);
}

}  // namespace yoloq::report
