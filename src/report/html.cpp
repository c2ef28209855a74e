// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "report/encode.h"
#include "report/writers.h"

namespace yoloq::report {

namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --ink: #1c1e21; --paper: #ffffff; --line: #d5d8dc; --soft: #f3f4f6;
  --faint: #5c636b; --warn: #8a5a00; --warn-paper: #fff6e0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e6e9; --paper: #16181b; --line: #3a3f45; --soft: #22262a; --faint: #a2a9b1;
    --warn: #f0c674; --warn-paper: #2e2715; } }
body { margin: 0 auto; max-width: 70rem; padding: 1rem 1.5rem 4rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem;
  border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
h3 { font-size: 1.05rem; margin: 1.8rem 0 .4rem; overflow-wrap: anywhere; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem; font-size: .9rem; }
a { color: inherit; }
.scroll { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; font-size: .87rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
th { background: var(--soft); cursor: pointer; white-space: nowrap; }
td.number { text-align: right; white-space: nowrap; }
th.number { text-align: right; }
td { max-width: 30rem; overflow-wrap: break-word; }
td:first-child { max-width: 24rem; }
figure { margin: 1rem 0; } figure svg { display: block; max-width: 100%; height: auto;
  background: #ffffff; border-radius: 6px; }
figcaption { color: var(--faint); font-size: .87rem; margin-top: .3rem; }
.pictures { display: flex; flex-wrap: wrap; gap: .6rem; } .pictures img { max-width: 100%;
  flex: 0 1 auto; }
.missing { background: var(--warn-paper); color: var(--warn); padding: .6rem .9rem;
  border-radius: 6px; }
code { font: .85rem ui-monospace, monospace; overflow-wrap: anywhere; }
details > summary { cursor: pointer; color: var(--faint); }
)";

/// Sorts a table by a column: numbers as numbers.
constexpr std::string_view kScript = R"(
for (const head of document.querySelectorAll('th')) head.addEventListener('click', () => {
  const table = head.closest('table'), body = table.tBodies[0], at = head.cellIndex;
  const up = head.dataset.up = head.dataset.up === '1' ? '0' : '1';
  const key = row => { const text = row.cells[at].textContent, value = parseFloat(text);
    return Number.isNaN(value) ? text : value; };
  const compare = (a, b) => typeof a === 'number' && typeof b === 'number' ? a - b
    : String(a).localeCompare(String(b));
  const rows = [...body.rows].sort((a, b) => compare(key(a), key(b)) * (up === '1' ? 1 : -1));
  body.append(...rows);
});
)";

/// True if a cell is read as a number: "12.3", "-0.004 (...)", "60 / 60", "-".
bool looks_like_number(std::string_view cell) {
  if (cell.empty() || cell == "-") return true;
  const std::size_t digit = cell.find_first_of("0123456789");
  if (digit > 1 || cell.size() > 60) return false;
  return cell.find_first_not_of("0123456789.+-e%/ ") == std::string_view::npos ||
         cell.find('(') != std::string_view::npos;
}

bool is_numeric(const Table& table, std::size_t column) {
  bool any = false;
  for (const auto& row : table.rows) {
    if (!looks_like_number(row[column])) return false;
    any = any || !row[column].empty();
  }
  return any;
}

/// Each kind of block as HTML.
class HtmlBlocks {
 public:
  explicit HtmlBlocks(const Draw& draw) : draw_(draw) {}

  std::string operator()(const Heading& heading) const {
    return fmt::format("<h3>{}</h3>\n", escape_html(heading.words));
  }

  std::string operator()(const Text& text) const {
    return fmt::format("<p>{}</p>\n", escape_html(text.words));
  }

  std::string operator()(const Missing& missing) const {
    std::string words = escape_html(missing.what);
    if (!missing.command.empty()) {
      words += fmt::format("; run <code>{}</code>", escape_html(missing.command));
    }
    return fmt::format("<p class=\"missing\">{}</p>\n", words);
  }

  std::string operator()(const Table& table) const {
    std::string html = "<div class=\"scroll\"><table><thead>" + row_of(table, table.header, "th") +
                       "</thead><tbody>\n";
    for (const auto& row : table.rows) html += row_of(table, row, "td");
    html += "</tbody></table></div>\n";
    if (table.folded.empty()) return html;
    return fmt::format("<details><summary>{}</summary>{}</details>\n", escape_html(table.folded),
                       html);
  }

  std::string operator()(const Figure& figure) const {
    return fmt::format(
        "<figure role=\"img\" aria-label=\"{}\">{}<figcaption>{}</figcaption></figure>\n",
        escape_html(figure.plot.title), draw_(figure.plot), escape_html(figure.caption));
  }

  std::string operator()(const Pictures& pictures) const {
    std::string html = "<figure><div class=\"pictures\">";
    for (const std::string& jpeg : pictures.jpegs) {
      html += fmt::format("<img alt=\"{}\" src=\"data:image/jpeg;base64,{}\">",
                          escape_html(pictures.caption), to_base64(jpeg));
    }
    return html + fmt::format("</div><figcaption>{}</figcaption></figure>\n",
                              escape_html(pictures.caption));
  }

 private:
  static std::string row_of(const Table& table, const std::vector<std::string>& cells,
                            const char* tag) {
    std::string html = "<tr>";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      html += fmt::format("<{}{}>{}</{}>", tag, is_numeric(table, i) ? " class=\"number\"" : "",
                          escape_html(cells[i]), tag);
    }
    return html + "</tr>\n";
  }

  const Draw& draw_;
};

}  // namespace

std::string to_html(const Document& document, const Draw& draw) {
  const HtmlBlocks blocks(draw);
  std::string links;
  std::string body;
  for (std::size_t i = 0; i < document.sections.size(); ++i) {
    const Section& section = document.sections[i];
    const std::string title = escape_html(section.title);
    links += fmt::format("<a href=\"#part{}\">{}</a>\n", i + 1, title);
    body += fmt::format("<section id=\"part{}\"><h2>{}</h2>\n", i + 1, title);
    for (const Block& block : section.blocks) body += std::visit(blocks, block);
    body += "</section>\n";
  }
  const std::string title = escape_html(document.title);
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style></head><body>\n<h1>{}</h1>\n<nav>{}</nav>\n{}"
      "<script>{}</script>\n</body></html>\n",
      title, kStyle, title, links, body, kScript);
}

}  // namespace yoloq::report
