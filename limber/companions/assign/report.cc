#include "limber/companions/assign/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "limber/companions/assign/drawings.h"
#include "limber/companions/assign/layout.h"
#include "limber/core/base/counted.h"
#include "limber/core/base/svg.h"

namespace limber::assign {
namespace {

constexpr std::size_t kDrawnNodes = 300;
constexpr std::size_t kDrawnAttributes = 3;
constexpr Position kListedPositions = 500;

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--ink:#1a1a1a;--soft:#666;--line:#ccc;--paper:#fff;--mark:#d55e00}
@media(prefers-color-scheme:dark){:root{--ink:#eee;--soft:#aaa;--line:#444;--paper:#161616}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:60rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
svg{width:100%;height:auto;display:block}svg text{font-size:19px;fill:var(--ink)}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(17rem,1fr));gap:1rem}
figure{margin:0}figcaption,.soft{color:var(--soft);font-size:.9rem}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{padding:.3rem .6rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}
.legend span{margin-right:1rem;white-space:nowrap}.legend i{display:inline-block;width:.8rem;height:.8rem;border-radius:50%;margin-right:.3rem}
.grid{stroke:var(--line);stroke-width:.7}.random{fill:var(--soft);opacity:.5}
.front{fill:none;stroke:#0072b2;stroke-width:1.5;stroke-dasharray:4 3}.front-point{fill:#0072b2}
.chosen{fill:none;stroke:var(--mark);stroke-width:3}.given{fill:#cc79a7;stroke:var(--ink)}
.within{stroke:var(--line);stroke-width:.7}.cross{stroke:var(--ink);stroke-width:.9;opacity:.55}
.open-tie{stroke:var(--line);stroke-width:.7;stroke-dasharray:2 2}
.node{stroke:none}.position{stroke:var(--ink);stroke-width:2}
)";

std::string comparison_table(const Results& results) {
  std::string html = "<div class=\"wide\"><table><tr><th></th><th>fitness</th>";
  for (const MeasureDescription& measure : measures()) {
    html += fmt::format("<th>{}</th>", escape_markup(measure.name));
  }
  html += "</tr>\n";
  for (const ComparedAssignment& row : results.table) {
    html += fmt::format("<tr><td>{}</td><td>{}</td>", escape_markup(row.name),
                        row.fitness ? fmt::format("{:.4f}", *row.fitness) : "-");
    for (const double value : row.measures) html += fmt::format("<td>{:.4f}</td>", value);
    html += "</tr>\n";
  }
  html += "</table></div>\n<ul class=\"soft\">";
  for (const MeasureDescription& measure : measures()) {
    html += fmt::format("<li>{}: {}.</li>", escape_markup(measure.name),
                        escape_markup(measure.meaning));
  }
  return html + "</ul>\n";
}

std::string networks(const Results& results) {
  const Instance& instance = *results.instance;
  const Layout layout = lay_out(instance, kDrawnNodes);
  const std::size_t drawn = std::min(instance.attributes.size(), kDrawnAttributes);
  std::string html;
  if (!layout.whole) {
    html += fmt::format(
        "<p class=\"soft\">Drawn are {} of {} nodes: {} and the best-connected of their "
        "neighbours.</p>\n",
        layout.nodes.size(), instance.network.size(),
        layout.positions < instance.positions.size()
            ? fmt::format("the first {} of {} open positions", layout.positions,
                          instance.positions.size())
            : "the open positions");
  }
  const Assignment open(instance.positions.size(), kNone);
  for (std::size_t a = 0; a < drawn; ++a) {
    html += fmt::format("<h3>{}</h3>\n{}<div class=\"pair\">\n",
                        escape_markup(instance.attributes[a].name), legend(instance.attributes[a]));
    const auto figure = [&](const Assignment& assignment, std::string_view caption) {
      html += fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n",
                          network_drawing(instance, layout, a, assignment), caption);
    };
    figure(open, "Before: ringed positions are open");
    figure(results.chosen.assignment, "After: with the assignment that was written");
    if (!results.given.empty()) figure(results.given, "With the given assignment");
    html += "</div>\n";
  }
  return html;
}

std::string who_goes_where(const Results& results) {
  const Instance& instance = *results.instance;
  std::string html = "<div class=\"wide\"><table><tr><th>position</th><th>candidate</th>";
  for (const Attribute& attribute : instance.attributes) {
    html += fmt::format("<th>{}</th>", escape_markup(attribute.name));
  }
  html += "<th>fitness</th></tr>\n";
  const Position listed = std::min(instance.position_count(), kListedPositions);
  for (Position p = 0; p < listed; ++p) {
    const Candidate candidate = results.chosen.assignment[static_cast<std::size_t>(p)];
    const auto c = static_cast<std::size_t>(candidate);
    html += fmt::format("<tr><td>{}</td><td>{}</td>", escape_markup(instance.position_name(p)),
                        escape_markup(instance.candidate_names[c]));
    const auto& profile = instance.profiles[static_cast<std::size_t>(instance.profile_of[c])];
    for (std::size_t a = 0; a < instance.attributes.size(); ++a) {
      html += fmt::format(
          "<td>{}</td>",
          escape_markup(instance.attributes[a].groups[static_cast<std::size_t>(profile[a])]));
    }
    html += fmt::format("<td>{:.4f}</td></tr>\n", instance.find(p, candidate)->fitness);
  }
  html += "</table></div>\n";
  if (listed < instance.position_count()) {
    html += fmt::format("<p class=\"soft\">The first {} of {}; assignment.csv has them all.</p>\n",
                        listed, instance.position_count());
  }
  return html;
}

}  // namespace

std::string render_report(const Results& results) {
  const Instance& instance = *results.instance;
  std::vector<std::string> attributes;
  for (const Attribute& attribute : instance.attributes) attributes.push_back(attribute.name);
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>Assignment report</title><style>{}</style></head><body>\n"
      "<h1>Assignment report</h1>\n"
      "<p>{} for {} ({}) in a network of {} and {}. Diversity is {} of {}: {}.</p>\n",
      kStyle, counted(instance.candidate_count(), "candidate"),
      counted(instance.position_count(), "open position"),
      counted(instance.pairs.size(), "eligible pair"), counted(instance.network.size(), "node"),
      counted(instance.network.ties(), "tie"), escape_markup(results.measure->name),
      escape_markup(fmt::format("{}", fmt::join(attributes, ", "))),
      escape_markup(results.measure->meaning));
  for (const std::string& note : results.notes) {
    html += fmt::format("<p class=\"soft\">{}</p>\n", escape_markup(note));
  }
  html += "<h2>Fitness against diversity</h2>\n" + front_drawing(results);
  html += fmt::format(
      "<p class=\"soft\">Blue: the Pareto front, {}, of which none is better on both "
      "counts. Ringed: the one that was written, for trade-off {}. Grey: random assignments.{} "
      "Higher and further right is better.</p>\n",
      counted(results.solution->front.points().size(), "assignment"), results.chosen.trade_off,
      results.comparison ? " Diamond: the given assignment." : "");
  if (results.comparison) {
    html += fmt::format("<h2>The given assignment</h2>\n<p>{}</p>\n",
                        escape_markup(describe(*results.comparison)));
  }
  html += "<h2>Side by side</h2>\n" + comparison_table(results);
  html += "<h2>The network</h2>\n" + networks(results);
  html += "<h2>Who goes where</h2>\n" + who_goes_where(results);
  return html + "</body></html>\n";
}

}  // namespace limber::assign
