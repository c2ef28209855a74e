// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/arguments.h"
#include "cli/command.h"
#include "core/error.h"
#include "core/file.h"
#include "report/gnuplot.h"
#include "report/sections.h"
#include "report/writers.h"

namespace yoloq::cli {

namespace fs = std::filesystem;

namespace {

struct ReportArguments {
  fs::path folder;
  fs::path out;
  fs::path html;
  JsonArguments json;
};

void say_what_is_missing(const report::Document& document) {
  for (const report::Section& section : document.sections) {
    for (const report::Block& block : section.blocks) {
      const auto* missing = std::get_if<report::Missing>(&block);
      if (missing == nullptr) continue;
      fmt::print("{}: {}{}{}\n", section.title, missing->what, missing->command.empty() ? "" : ": ",
                 missing->command);
    }
  }
}

/// The files that a report is made of; not an earlier report, which makes way.
std::vector<fs::path> inputs_of(const report::RunFolder& run) {
  std::vector<fs::path> files;
  for (const auto& origin : run.origins) files.push_back(run.folder / origin.file);
  for (const auto& plan : run.plans) files.push_back(run.folder / plan.file);
  for (const auto& model : run.models) files.push_back(run.folder / model.file);
  return files;
}

/// Makes the folders that the files are to be written to.
void make_folders(const std::vector<FileContent>& files, const std::vector<fs::path>& inputs) {
  for (const FileContent& file : files) require_writable(file.path, inputs);
}

void run_report(ReportArguments arguments) {
  if (arguments.out.empty() && arguments.html.empty() && arguments.json.file.empty()) {
    arguments.html = arguments.folder / "report.html";
  }
  const report::RunFolder run = report::read_run(arguments.folder);
  const report::Document document = report::make_document(run);
  std::vector<FileContent> files;
  if (!arguments.out.empty()) {
    files = report::to_markdown(document, arguments.out, report::to_svg);
  }
  if (!arguments.html.empty()) {
    files.push_back({arguments.html, report::to_html(document, report::to_svg)});
  }
  if (!arguments.json.file.empty()) {
    files.push_back({arguments.json.file, report::to_json(document)});
  }
  make_folders(files, inputs_of(run));
  write_files(files);
  say_what_is_missing(document);
  for (const FileContent& file : files) {
    if (file.path != arguments.out && file.path != arguments.html &&
        file.path != arguments.json.file) {
      continue;
    }
    fmt::print("{}: {:.2f} MB\n", file.path.string(),
               static_cast<double>(file.content.size()) / 1e6);
  }
}

}  // namespace

void declare_report(CLI::App& app) {
  const auto arguments = std::make_shared<ReportArguments>();
  app.add_option("folder", arguments->folder,
                 "what eval --run, quantize --run and others wrote into")
      ->required();
  app.add_option("--out", arguments->out,
                 "write Markdown, with its pictures in a folder beside it");
  app.add_option("--html", arguments->html,
                 "write one page that needs nothing else; default: report.html in the folder");
  arguments->json.declare(app);
  app.callback([arguments] { run_report(*arguments); });
}

}  // namespace yoloq::cli
