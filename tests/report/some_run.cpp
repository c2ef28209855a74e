// SPDX-License-Identifier: Apache-2.0
#include "report/some_run.h"

#include <nlohmann/json.hpp>

#include "calibrate/ranges.h"
#include "coco/detections.h"
#include "core/file.h"
#include "quantize/plan.h"
#include "sensitivity/profile.h"
#include "vision/image.h"

namespace yoloq::report {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kKey = "0123456789abcdef0123456789abcdef";
constexpr std::size_t kRecallCount = 101;

Json gap(double value) { return {{"value", value}, {"low", value - 0.01}, {"high", value + 0.02}}; }

Json errors() {
  Json json{{"AP50", 0.5}};
  for (const char* kind : {"class", "localisation", "both", "duplicate", "background", "missed"}) {
    json[kind] = {{"gain", 0.1}, {"count", 3}};
  }
  return json;
}

Json model(const std::string& name, const std::string& file, double ap) {
  return {{"model", name},
          {"precision", "fp32"},
          {"layers_int8", 0},
          {"layers_total", 2},
          {"AP", ap},
          {"AP50", ap + 0.1},
          {"classes",
           {{{"id", 1}, {"name", "cat"}, {"boxes", 5}, {"AP", ap}, {"AP50", ap}},
            {{"id", 2}, {"name", "dog"}, {"boxes", 4}, {"AP", ap / 2}, {"AP50", ap / 2}},
            {{"id", 3}, {"name", "emu"}, {"boxes", 0}, {"AP", -1}, {"AP50", -1}}}},
          {"images", 1},
          {"latency_ms", {{"p50", 10 * ap}, {"p90", 20 * ap}}},
          {"size_mb", 7.5},
          {"ground_truth", "labels"},
          {"engine", "SomeEngine 1.2"},
          {"file", file},
          {"hash", "hash-of-" + name},
          {"precision_at_recall",
           {{"AP50", std::vector<double>(kRecallCount, ap)},
            {"AP75", std::vector<double>(kRecallCount, ap / 2)}}},
          {"errors", errors()},
          {"detections", name + ".detections.json"},
          {"executed",
           {{{"name", "conv_0"},
             {"kind", "Convolution"},
             {"precision", "u8"},
             {"kernel", "brgconv"},
             {"origins", {"model.0.conv"}},
             {"ms", 1.25}}}}};
}

Json provenance(const std::string& command) {
  return {{"tool", "yoloq 0.1.0"},
          {"command", command},
          {"date", "2026-01-31T12:00:00Z"},
          {"machine", {{"cpu", "Some CPU"}, {"threads", 2}}}};
}

Json evaluation(const std::filesystem::path& image) {
  Json json = model("a", "/models/a.pt", 0.5);
  Json other = model("b", kHostileName, 0.4);
  other["difference"] = {{"AP", gap(-0.1)}, {"AP50", gap(0.0)}};
  Json first = json;
  json["models"] = {std::move(first), std::move(other)};
  json["image_files"] = {{{"id", 1}, {"file", image.string()}}};
  json["provenance"] =
      provenance("yoloq eval --weights a.pt --run " + image.parent_path().string());
  return json;
}

calibrate::Ranges some_ranges() {
  calibrate::Ranges ranges;
  ranges.provenance = {
      .key = kKey, .model = "m", .preprocessing = "p", .tool = "yoloq 0.1.0", .images = {"a.jpg"}};
  calibrate::TensorStatistics statistics{.min = -0.25f, .max = 3.0f, .count = 6};
  statistics.histogram.observe(std::vector<float>{-0.25f, 0.0f, 0.5f, 1.0f, 1.5f, 3.0f});
  statistics.channel_sums.resize(1);
  ranges.tensors["act"] = statistics;
  return ranges;
}

quantize::Plan some_plan() {
  quantize::Plan plan{.target = "tensorrt"};
  plan.provenance = {{"calibration_key", kKey}, {"tool", "yoloq 0.1.0"}};
  plan.layers = {{.id = 0, .name = "model.0.conv", .why = "default"}};
  plan.activations = {{.tensor = "act",
                       .quantizer = {.dtype = DType::i8, .scale = 2.0f / 127},
                       .why = "mse",
                       .readers = {"model.0.conv:0"}}};
  plan.weights = {
      {.tensor = "w", .layer = "model.0.conv", .axis = 0, .scales = {0.01f}, .why = "mse"}};
  return plan;
}

}  // namespace

SomeRun::SomeRun() {
  const auto image = folder_ / "000000000001.jpg";
  vision::Image grey{.size = {64, 48}};
  grey.pixels.assign(64 * 48 * 3, 128);
  vision::write_image(image, grey);
  write("eval.json", evaluation(image).dump());
  const coco::Detection cat{1, 1, {5, 5, 20, 20}, 0.9};
  coco::Detection unsure = cat;
  unsure.score = 0.6;
  const coco::Detection dog{1, 2, {30, 20, 20, 20}, 0.5};
  coco::write_detections(folder_ / "a.detections.json", std::vector{cat});
  coco::write_detections(folder_ / "b.detections.json", std::vector{unsure, dog});
  const Json latency{{"p50", 12.5}, {"p90", 14.0}};
  write("bench.json", Json{{"model", "a"},
                           {"precision", "fp32"},
                           {"latency_ms", latency},
                           {"sweep", Json::array()},
                           {"throughput", 123.4},
                           {"comparisons", {{{"a", "a"}, {"b", "b"}, {"ratio", 2.25}}}}}
                          .dump());
  write("q.quantize.json", Json{{"file", kHostileName},
                                {"hash", "hash-of-b"},
                                {"layers_int8", 1},
                                {"layers_total", 2},
                                {"target", "tensorrt"},
                                {"calibrator", "mse"}}
                               .dump());
  write("search.json",
        Json{{"format", "yoloq search"},
             {"version", 1},
             {"model", "a"},
             {"candidates",
              {{{"name", "slow"}, {"ap", 0.5}, {"latency_ms", 12.0}, {"on_front", true}},
               {{"name", "fast"}, {"ap", 0.4}, {"latency_ms", 6.0}, {"on_front", true}},
               {{"name", "bad"}, {"ap", 0.3}, {"latency_ms", 13.0}, {"on_front", false}}}}}
            .dump());
  write("sens.json",
        sensitivity::to_json({.method = "fast",
                              .unit = "%",
                              .model = "a",
                              .model_hash = "m",
                              .images = 16,
                              .layers = {{.id = 0, .name = "model.0.conv", .cost = 0.5},
                                         {.id = 1, .name = "model.1.conv", .cost = 0.1}}}));
  write_file(folder_ / "q.ranges", calibrate::serialize(some_ranges()));
  write("results.csv",
        "   epoch, train/box_loss,train/obj_loss,train/cls_loss,metrics/precision,metrics/recall,"
        "metrics/mAP_0.5,metrics/mAP_0.5:0.95,val/box_loss,val/obj_loss,val/cls_loss,"
        "x/lr0,x/lr1,x/lr2\n"
        "  0, 0.125, 0.5, 0.25, 0.6, 0.5, 0.50, 0.40, 0.11, 0.4, nan, 0.1, 0.01, 0.01\n"
        "  1, 0.120, 0.4, 0.20, 0.7, 0.6, 0.48, 0.45, 0.10, 0.3, nan, 0.08, 0.009, 0.009\n"
        "  2, 0.115, 0.3, 0.10, 0.8, 0.7, 0.90, 0.35, 0.12, 0.2, nan, 0.06, 0.008, 0.008\n");
  write("q.plan.yaml", quantize::to_yaml(some_plan()));
}

void SomeRun::remove(const std::string& name) const { std::filesystem::remove(folder_ / name); }

void SomeRun::write(const std::string& name, const std::string& text) const {
  write_file(folder_ / name, text);
}

}  // namespace yoloq::report
