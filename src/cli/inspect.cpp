// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/inspect_engine.h"
#include "cli/inspect_training.h"
#include "cli/provenance.h"
#include "cli/table.h"
#include "core/error.h"
#include "dataset/data_yaml.h"
#include "graph/summary.h"
#include "pipeline/detector.h"
#include "pipeline/model.h"
#include "quantize/layers.h"
#include "quantize/lint.h"

namespace yoloq::cli {

namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

struct InspectArguments {
  ModelArguments model;
  SizeArguments size;
  EngineArguments engine;
  JsonArguments json;
  TrainingCheckArguments training;
  std::filesystem::path data;
  bool quantization = false;
  bool executed = false;
  bool profile = false;
  bool names_yaml = false;
};

std::string shape_text(const graph::ValueType& type) {
  if (!type.dims) return "?";
  std::vector<std::string> sizes;
  for (const graph::Dim& dim : *type.dims) {
    sizes.push_back(dim.known() ? std::to_string(dim.size)
                                : (dim.symbol.empty() ? "?" : dim.symbol));
  }
  return fmt::format("{}", fmt::join(sizes, "x"));
}

Json show_structure(const pipeline::DetectionModel& model) {
  const graph::Summary summary = graph::summarize(model.fixed);
  std::map<std::string, int> ids;
  for (const auto& row : quantize::lint(model.fixed)) {
    if (row.id >= 0) ids[row.name] = row.id;
  }
  Rows table{{"layer", "id", "op", "output", "parameters", "MMACs"}};
  Json layers = Json::array();
  for (const graph::NodeSummary& node : summary.nodes) {
    const auto id = node.op == "Conv" ? ids.find(node.name) : ids.end();
    const std::string number = id == ids.end() ? "" : std::to_string(id->second);
    table.push_back({node.name, number, node.op, shape_text(node.output),
                     node.parameters == 0 ? "" : std::to_string(node.parameters),
                     node.macs.value_or(0) == 0
                         ? ""
                         : fmt::format("{:.1f}", static_cast<double>(*node.macs) / 1e6)});
    layers.push_back({{"name", node.name},
                      {"op", node.op},
                      {"output", shape_text(node.output)},
                      {"parameters", node.parameters},
                      {"macs", node.macs.value_or(0)}});
    if (id != ids.end()) layers.back()["id"] = id->second;
  }
  fmt::print("{}", to_table(table));
  const auto flops = static_cast<double>(summary.flops.value_or(0)) / 1e9;
  fmt::print(
      "{}: {} nodes, {} parameters, {:.2f} GFLOPs at {}x{}, {} classes, {} head(s), opset "
      "{}\n",
      model.name, model.fixed.node_count(), summary.parameters, flops, model.size.height,
      model.size.width, model.head.class_count, model.head.outputs.size(), model.fixed.opset());
  return {{"model", model.name},
          {"nodes", model.fixed.node_count()},
          {"parameters", summary.parameters},
          {"gflops", flops},
          {"classes", model.head.class_count},
          {"names", model.head.names},
          {"layers", std::move(layers)}};
}

Json show_quantization(const pipeline::DetectionModel& model) {
  Rows table{{"layer", "id", "int8", "what stands in the way"}};
  Json rows = Json::array();
  int int8 = 0;
  const auto found = quantize::lint(model.fixed);
  for (const quantize::LintRow& row : found) {
    std::vector<std::string> remarks = row.obstacles;
    remarks.insert(remarks.end(), row.limits.begin(), row.limits.end());
    int8 += row.int8 ? 1 : 0;
    table.push_back({row.name, row.id < 0 ? "" : std::to_string(row.id), row.int8 ? "yes" : "no",
                     fmt::format("{}", fmt::join(remarks, "; "))});
    rows.push_back({{"id", row.id},
                    {"name", row.name},
                    {"int8", row.int8},
                    {"obstacles", row.obstacles},
                    {"limits", row.limits}});
  }
  fmt::print("{}{} / {} convolutions can run in int8\n", to_table(table), int8, found.size());
  return {{"layers_int8", int8}, {"layers_total", found.size()}, {"quantization", std::move(rows)}};
}

/// One engine, or two and what differs.
Json show_engines(const InspectArguments& arguments) {
  arguments.engine.require_as_built(arguments.model.all());
  auto options = arguments.engine.options(runtime::Mode::throughput);
  options.profile = arguments.profile;
  const pipeline::ModelOptions load{.size = arguments.size.size(),
                                    .hints = arguments.model.hints()};
  std::vector<pipeline::LoadedDetector> engines;
  for (const auto& path : arguments.model.all()) {
    engines.push_back(pipeline::load_detector(path, load, options));
  }
  if (engines.size() == 2) return show_difference(engines[0], engines[1]);
  if (engines.size() == 1) return show_engine(engines.front(), arguments.profile);
  fail(ErrorCode::bad_usage, "{} engines were given; one is shown, two are compared",
       engines.size());
}

/// The names as a data yaml has them.
Json show_names(const std::vector<std::string>& names) {
  fmt::print("nc: {}\nnames:\n", names.size());
  for (std::size_t i = 0; i < names.size(); ++i) fmt::print("  {}: {}\n", i, text_of(names[i]));
  return {{"nc", names.size()}, {"names", names}};
}

/// True if data and hyper-parameters are the subject, not a model.
bool is_about_training(const InspectArguments& arguments) {
  const bool no_model = arguments.model.weights.empty() && arguments.model.models.empty() &&
                        arguments.model.engines.empty();
  if (no_model) return !arguments.data.empty() || !arguments.training.hyp.empty();
  if (arguments.training.hyp.empty()) return false;
  fail(ErrorCode::bad_usage, "--hyp is checked alone or with --data, without a model");
}

/// Every file that the command may read.
std::vector<std::filesystem::path> inputs_of(const InspectArguments& arguments) {
  std::vector<std::filesystem::path> inputs{arguments.data, arguments.training.hyp};
  for (const auto* files :
       {&arguments.model.weights, &arguments.model.models, &arguments.model.engines}) {
    inputs.insert(inputs.end(), files->begin(), files->end());
  }
  return inputs;
}

void run_inspect(const InspectArguments& arguments) {
  require_writable(arguments.json.file, inputs_of(arguments));
  if (is_about_training(arguments)) {
    check_training(arguments.training, arguments.data, arguments.json);
    return;
  }
  if (!arguments.model.engines.empty() || arguments.executed) {
    arguments.json.write(text_of(show_engines(arguments)));
    return;
  }
  pipeline::ModelOptions load{.size = arguments.size.size(), .hints = arguments.model.hints()};
  if (!arguments.data.empty()) load.hints.names = dataset::read_data_yaml(arguments.data).names;
  const auto model = pipeline::load_model(arguments.model.one(), load);
  const Json json = arguments.names_yaml     ? show_names(model.head.names)
                    : arguments.quantization ? show_quantization(model)
                                             : show_structure(model);
  arguments.json.write(text_of(json));
}

}  // namespace

void declare_inspect(CLI::App& app) {
  const auto arguments = std::make_shared<InspectArguments>();
  arguments->model.declare(app);
  arguments->size.declare(app);
  arguments->engine.declare(app);
  arguments->json.declare(app);
  arguments->training.declare(app);
  app.add_option("--data", arguments->data,
                 "data set yaml, for names that the model lacks; without a model: the data set to "
                 "check before training");
  app.add_flag("--quantization", arguments->quantization,
               "per convolution, what keeps a runtime from int8");
  app.add_flag("--executed", arguments->executed,
               "what the runtime makes of the model, as --engine shows it; of two, what differs");
  app.add_flag("--profile", arguments->profile, "with an engine: run it and show layers' times");
  app.add_flag("--names-yaml", arguments->names_yaml, "print the class names for a data yaml");
  app.callback([arguments] { run_inspect(*arguments); });
}

}  // namespace yoloq::cli
