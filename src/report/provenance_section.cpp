// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/detail/words.h"
#include "report/sections.h"

namespace yoloq::report {

Section provenance_section(const RunFolder& run) {
  Section section{.title = "Provenance"};
  Table files{.header = {"file", "kind", "written by", "date", "machine", "backend", "hashes"}};
  Table commands{.header = {"file", "command"}};
  for (const Origin& origin : run.origins) {
    files.rows.push_back({origin.file, origin.kind, origin.tool, origin.date, origin.machine,
                          origin.backend, origin.hashes});
    if (!origin.command.empty()) commands.rows.push_back({origin.file, origin.command});
  }
  for (const OtherFile& model : run.models) {
    files.rows.push_back({model.file,
                          fmt::format("ONNX, {:.2f} MB", static_cast<double>(model.bytes) / 1e6),
                          "", "", "", "", model.hash});
  }
  section.blocks.emplace_back(std::move(files));
  if (!commands.rows.empty()) section.blocks.emplace_back(std::move(commands));
  if (!run.unknown.empty()) {
    section.blocks.emplace_back(Text{fmt::format("Not used: {}.", fmt::join(run.unknown, ", "))});
  }
  return section;
}

}  // namespace yoloq::report
