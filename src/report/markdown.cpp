// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "report/encode.h"
#include "report/writers.h"

namespace yoloq::report {

namespace fs = std::filesystem;

namespace {

/// Each kind of block as Markdown; what it embeds becomes a file.
class MarkdownBlocks {
 public:
  MarkdownBlocks(const fs::path& path, const Draw& draw)
      : folder_(fs::path(path).replace_extension(".files")), draw_(draw) {}

  std::vector<FileContent> files;

  std::string operator()(const Heading& heading) const {
    return fmt::format("### {}\n\n", escape_markdown(heading.words));
  }

  std::string operator()(const Text& text) const { return escape_markdown(text.words) + "\n\n"; }

  std::string operator()(const Missing& missing) const {
    // Two backticks: a command that holds one stays whole.
    const std::string command =
        missing.command.empty() ? "" : fmt::format("; run `` {} ``", one_line(missing.command));
    return fmt::format("> {}{}\n\n", escape_markdown(missing.what), command);
  }

  std::string operator()(const Table& table) const {
    std::string text = table.folded.empty() ? "" : escape_markdown(table.folded) + ":\n\n";
    text += row_of(table.header) + "|";
    for (std::size_t i = 0; i < table.header.size(); ++i) text += " --- |";
    text += '\n';
    for (const auto& row : table.rows) text += row_of(row);
    return text + "\n";
  }

  std::string operator()(const Figure& figure) {
    const std::string head = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";
    return embed(head + draw_(figure.plot), ".svg", figure.plot.title) + "\n\n" +
           (figure.caption.empty() ? "" : escape_markdown(figure.caption) + "\n\n");
  }

  std::string operator()(const Pictures& pictures) {
    std::string text;
    for (const std::string& jpeg : pictures.jpegs) {
      text += embed(jpeg, ".jpg", pictures.caption) + " ";
    }
    return text + "\n\n" + escape_markdown(pictures.caption) + "\n\n";
  }

 private:
  static std::string one_line(std::string text) {
    for (char& c : text) c = c == '\n' ? ' ' : c;
    return text;
  }

  static std::string row_of(const std::vector<std::string>& cells) {
    std::string line = "|";
    for (const std::string& cell : cells) line += fmt::format(" {} |", escape_markdown(cell));
    return line + "\n";
  }

  std::string embed(std::string content, const char* extension, const std::string& words) {
    const std::string name = fmt::format("{}{}", files.size() + 1, extension);
    files.push_back({folder_ / name, std::move(content)});
    return fmt::format("![{}](<{}/{}>)", escape_markdown(words), folder_.filename().string(), name);
  }

  fs::path folder_;
  const Draw& draw_;
};

}  // namespace

std::vector<FileContent> to_markdown(const Document& document, const fs::path& path,
                                     const Draw& draw) {
  MarkdownBlocks blocks(path, draw);
  std::string text = fmt::format("# {}\n\n", escape_markdown(document.title));
  for (const Section& section : document.sections) {
    text += fmt::format("## {}\n\n", escape_markdown(section.title));
    for (const Block& block : section.blocks) text += std::visit(blocks, block);
  }
  while (text.ends_with("\n\n")) text.pop_back();
  std::vector<FileContent> files = std::move(blocks.files);
  files.push_back({path, std::move(text)});
  return files;
}

}  // namespace yoloq::report
