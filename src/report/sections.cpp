// SPDX-License-Identifier: Apache-2.0
#include "report/sections.h"

namespace yoloq::report {

namespace {

/// In this order: from what everybody asks first to what explains it.
constexpr Section (*kSections[])(const RunFolder&) = {
    results_section,  // How good and how fast.
    speed_section,       front_section,
    classes_section,  // Where it was lost.
    curves_section,      errors_section, shift_section, changes_section,
    training_section,     // How it came to be.
    sensitivity_section,  // Why.
    ranges_section,      layers_section,
    provenance_section,  // Whether to believe it.
};

/// "runs/yolov5n/" is called yolov5n.
std::string title_of(const RunFolder& run) {
  const auto folder = std::filesystem::absolute(run.folder).lexically_normal();
  const auto name = folder.has_filename() ? folder.filename() : folder.parent_path().filename();
  return "yoloq report: " + name.string();
}

}  // namespace

Document make_document(const RunFolder& run) {
  Document document{.title = title_of(run)};
  for (const auto make : kSections) document.sections.push_back(make(run));
  return document;
}

}  // namespace yoloq::report
