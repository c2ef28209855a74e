// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/detail/words.h"
#include "report/sections.h"

namespace yoloq::report {

Section provenance_section(const RunFolder& run) {
  Section section{.title = "Provenance"};
  Table files{.header = {"file", "kind", "written by", "date", "hashes"}};
  Table runs{.header = {"file", "command", "machine", "backend"}};
  for (const Origin& origin : run.origins) {
    files.rows.push_back({origin.file, origin.kind, origin.tool, origin.date, origin.hashes});
    if (origin.command.empty() && origin.backend.empty()) continue;
    runs.rows.push_back({origin.file, origin.command, origin.machine, origin.backend});
  }
  for (const OtherFile& model : run.models) {
    const double megabytes = static_cast<double>(model.bytes) / 1e6;
    files.rows.push_back(
        {model.file, fmt::format("ONNX, {:.2f} MB", megabytes), "", "", model.hash});
  }
  section.blocks.emplace_back(std::move(files));
  if (!runs.rows.empty()) section.blocks.emplace_back(std::move(runs));
  if (!run.unknown.empty()) {
    section.blocks.emplace_back(Text{fmt::format("Not used: {}.", fmt::join(run.unknown, ", "))});
  }
  return section;
}

}  // namespace yoloq::report
