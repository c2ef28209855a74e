// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/progress_bar.h"
#include "cli/provenance.h"
#include "cli/results.h"
#include "core/error.h"
#include "core/file.h"
#include "dataset/data_yaml.h"
#include "dataset/images.h"
#include "pipeline/detector.h"
#include "pipeline/evaluation.h"
#include "vision/draw.h"
#include "vision/image.h"

namespace yoloq::cli {

namespace fs = std::filesystem;

namespace {

struct DetectArguments {
  ModelArguments model;
  SizeArguments size;
  EngineArguments engine;
  JsonArguments json;
  std::vector<fs::path> sources;
  fs::path data;
  pipeline::DetectOptions detect{.confidence = 0.25f, .iou = 0.45, .multi_label = false};
  bool draw = true;
  fs::path out = "runs/detect";
};

std::vector<fs::path> images_of(const std::vector<fs::path>& sources) {
  std::vector<fs::path> images;
  for (const fs::path& source : sources) {
    const auto found = dataset::list_images(source);
    images.insert(images.end(), found.begin(), found.end());
  }
  return images;
}

/// File names in the output folder: those of the images, with a number where two are alike.
std::vector<fs::path> output_files(const std::vector<fs::path>& images, const fs::path& folder) {
  std::set<std::string> taken;
  std::vector<fs::path> files;
  for (const fs::path& image : images) {
    std::string name = image.filename().string();
    for (int number = 2; !taken.insert(name).second; ++number) {
      name = fmt::format("{}-{}{}", image.stem().string(), number, image.extension().string());
    }
    files.push_back(folder / name);
  }
  return files;
}

void draw_boxes(const fs::path& source, const fs::path& file, const detect::Boxes& boxes,
                const std::vector<std::string>& names) {
  vision::Image image = vision::read_image(source);
  std::vector<vision::Mark> marks;
  for (auto box = boxes.rbegin(); box != boxes.rend(); ++box) {  // The surest on top.
    marks.push_back(
        {.box = {box->x1, box->y1, box->x2, box->y2},
         .class_index = box->class_index,
         .text = fmt::format("{} {:.2f}", names.at(static_cast<std::size_t>(box->class_index)),
                             box->confidence)});
  }
  vision::draw(image, marks);
  vision::write_image(file, image);
}

/// "2 person, 1 dog".
std::string summary(const detect::Boxes& boxes, const std::vector<std::string>& names) {
  std::map<int, int> counts;
  for (const detect::Box& box : boxes) ++counts[box.class_index];
  std::string text;
  for (const auto& [index, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count,
                        names.at(static_cast<std::size_t>(index)));
  }
  return text.empty() ? "nothing" : text;
}

nlohmann::ordered_json boxes_json(const fs::path& image, const detect::Boxes& boxes,
                                  const std::vector<std::string>& names) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const detect::Box& box : boxes) {
    list.push_back({{"class", box.class_index},
                    {"name", names.at(static_cast<std::size_t>(box.class_index))},
                    {"confidence", box.confidence},
                    {"box", {box.x1, box.y1, box.x2, box.y2}}});
  }
  return {{"image", image.string()}, {"boxes", std::move(list)}};
}

/// What is to be written can be, and is nothing that is read.
void require_outputs(const DetectArguments& arguments, const std::vector<fs::path>& images,
                     const std::vector<fs::path>& drawn) {
  std::vector<fs::path> inputs = images;
  inputs.insert(inputs.end(), arguments.sources.begin(), arguments.sources.end());
  inputs.insert(inputs.end(), {arguments.model.one(), arguments.data});
  require_writable(arguments.out / "detections.json", inputs);
  require_writable(arguments.json.file, inputs);
  if (arguments.draw) require_other_files(drawn, inputs);
}

void run_detect(const DetectArguments& arguments) {
  const auto images = images_of(arguments.sources);
  const auto files = output_files(images, arguments.out);
  require_outputs(arguments, images, files);
  arguments.engine.require_as_built(arguments.model.all());
  pipeline::ModelOptions load{.size = arguments.size.size(), .hints = arguments.model.hints()};
  if (!arguments.data.empty()) load.hints.names = dataset::read_data_yaml(arguments.data).names;
  if (arguments.engine.batch_size > 1) load.batch = arguments.engine.batch_size;
  const auto loaded = pipeline::load_detector(arguments.model.one(), load,
                                              arguments.engine.options(runtime::Mode::throughput));
  pipeline::DetectOptions options = arguments.detect;
  options.progress = progress_bar("detect");
  const auto found = pipeline::find_objects(loaded.detector, images, options);
  const auto& names = loaded.detector.head.names;
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (std::ranges::binary_search(found.skipped_indices, i)) continue;
    json.push_back(boxes_json(images[i], found.boxes[i], names));
    fmt::print("{}: {}\n", images[i].string(), summary(found.boxes[i], names));
    if (arguments.draw) draw_boxes(images[i], files[i], found.boxes[i], names);
  }
  for (const std::string& message : found.skipped) fmt::print("skipped: {}\n", message);
  print_notices(loaded.detector.engine->notices());
  const std::string text = text_of(json);
  write_file(arguments.out / "detections.json", text + "\n");
  arguments.json.write(text);
  fmt::print("{} images, {:.1f} images/s, written to {}\n", found.images, found.images_per_second(),
             arguments.out.string());
}

}  // namespace

void declare_detect(CLI::App& app) {
  const auto arguments = std::make_shared<DetectArguments>();
  arguments->model.declare(app);
  arguments->size.declare(app);
  arguments->engine.declare(app);
  arguments->json.declare(app);
  app.add_option("--source", arguments->sources, "image, folder, pattern or list file")->required();
  app.add_option("--data", arguments->data, "data set yaml, for names that the model lacks");
  app.add_option("--conf,--conf-thres", arguments->detect.confidence, "least confidence")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--iou,--iou-thres", arguments->detect.iou, "overlap above which a box goes")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--max-det", arguments->detect.most_boxes, "boxes per image at most")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--classes", arguments->detect.classes, "only these class ids")->delimiter(',');
  app.add_flag("--skip-bad", arguments->detect.skip_bad, "leave out images that do not decode");
  app.add_flag("!--no-draw", arguments->draw, "write detections.json only");
  app.add_option("--out", arguments->out, "folder to write to")->capture_default_str();
  app.callback([arguments] { run_detect(*arguments); });
}

}  // namespace yoloq::cli
