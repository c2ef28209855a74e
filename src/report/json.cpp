// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "report/writers.h"

namespace yoloq::report {

namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson json_of(const Series& series) {
  OrderedJson json{{"name", series.name}};
  if (!series.x.empty()) json["x"] = series.x;
  json["y"] = series.y;
  if (!series.notes.empty()) json["notes"] = series.notes;
  return json;
}

OrderedJson json_of(const Plot& plot) {
  OrderedJson json{{"title", plot.title}, {"x_label", plot.x_label}, {"y_label", plot.y_label}};
  json["series"] = OrderedJson::array();
  if (plot.bars) {
    json["names"] = plot.bars->names;
    for (const Series& series : plot.bars->series) json["series"].push_back(json_of(series));
    if (!plot.bars->intervals.empty()) json["intervals"] = plot.bars->intervals;
  }
  if (plot.chart) {
    for (const Series& series : plot.chart->series) json["series"].push_back(json_of(series));
    for (const Line& line : plot.chart->lines) {
      json["lines"].push_back({{"name", line.name}, {"at", line.at}});
    }
  }
  return json;
}

/// Each kind of block as JSON.
struct JsonBlocks {
  OrderedJson operator()(const Heading& heading) const {
    return {{"kind", "heading"}, {"words", heading.words}};
  }
  OrderedJson operator()(const Text& text) const {
    return {{"kind", "text"}, {"words", text.words}};
  }
  OrderedJson operator()(const Missing& missing) const {
    return {{"kind", "missing"}, {"what", missing.what}, {"command", missing.command}};
  }
  OrderedJson operator()(const Table& table) const {
    return {{"kind", "table"}, {"header", table.header}, {"rows", table.rows}};
  }
  OrderedJson operator()(const Figure& figure) const {
    return {{"kind", "plot"}, {"plot", json_of(figure.plot)}, {"caption", figure.caption}};
  }
  OrderedJson operator()(const Pictures& pictures) const {
    return {{"kind", "pictures"}, {"number", pictures.jpegs.size()}, {"caption", pictures.caption}};
  }
};

}  // namespace

std::string to_json(const Document& document) {
  OrderedJson json{{"format", "yoloq report"}, {"version", 1}, {"title", document.title}};
  json["sections"] = OrderedJson::array();
  for (const Section& section : document.sections) {
    OrderedJson blocks = OrderedJson::array();
    for (const Block& block : section.blocks) blocks.push_back(std::visit(JsonBlocks{}, block));
    json["sections"].push_back({{"title", section.title}, {"blocks", std::move(blocks)}});
  }
  return json.dump(1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace yoloq::report
