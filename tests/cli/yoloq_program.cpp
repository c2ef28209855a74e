// SPDX-License-Identifier: Apache-2.0
#include "cli/yoloq_program.h"

#include <fmt/format.h>

#include <stdexcept>

#include "core/file.h"
#include "dataset/labels.h"
#include "pipeline/calm_model.h"
#include "pipeline/tiny_data_set.h"
#include "runtime/cpu.h"
#include "support/tiny_checkpoint.h"
#include "vision/image.h"

namespace yoloq::test {

namespace fs = std::filesystem;

std::vector<std::string> yoloq_command(const fs::path& folder,
                                       const std::vector<std::string>& arguments) {
  std::vector<std::string> command{"env", "-C", folder.string(), YOLOQ_PROGRAM};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

Finished yoloq_in(const fs::path& folder, const std::vector<std::string>& arguments) {
  return run_command(yoloq_command(folder, arguments));
}

int int8_layers_here(int layers) { return runtime::has_int8_dot_product() ? layers : 0; }

std::string int8_precision_here() { return runtime::has_int8_dot_product() ? "int8" : "fp32"; }

nlohmann::json read_json(const fs::path& path) { return nlohmann::json::parse(read_file(path)); }

std::string measured_text(const fs::path& path) {
  const std::string text = read_file(path);
  const std::size_t end = text.find("\"provenance\"");
  if (end == std::string::npos) throw std::runtime_error(path.string() + " has no provenance");
  return text.substr(0, end);
}

std::set<std::string> files_below(const fs::path& folder) {
  std::set<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_directory()) files.insert(fs::relative(entry.path(), folder).string());
  }
  return files;
}

TinyProject::TinyProject(int train, int val) {
  write_checkpoint(calm_model(), folder_ / "tiny.pt", {.dtype = DType::f32});
  write_tiny_data_set(path(), train, val);
}

void TinyProject::label_with_model() const {
  const Finished found = run({"detect", "--weights", "tiny.pt", "--source", "images", "--img", "64",
                              "--conf", "0.5", "--iou", "0.6", "--no-draw", "--out", "found"});
  if (found.status != 0) throw std::runtime_error(found.errors);
  for (const auto& row : read_json(folder_ / "found/detections.json")) {
    const fs::path image = path() / row.at("image").get<std::string>();
    const auto [width, height] = vision::read_image(image).size;
    std::string labels;
    for (const auto& box : row.at("boxes")) {
      const auto at = box.at("box").get<std::vector<double>>();
      if (at[2] - at[0] < 1 || at[3] - at[1] < 1) continue;
      labels += fmt::format("{} {} {} {} {}\n", box.at("class").get<int>(),
                            (at[0] + at[2]) / 2 / width, (at[1] + at[3]) / 2 / height,
                            (at[2] - at[0]) / width, (at[3] - at[1]) / height);
    }
    write_file(dataset::label_path(image), labels);
  }
}

}  // namespace yoloq::test
