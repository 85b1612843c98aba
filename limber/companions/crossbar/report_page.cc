#include <fmt/format.h>

#include "limber/companions/crossbar/charts.h"
#include "limber/companions/crossbar/cost_constants.h"
#include "limber/companions/crossbar/published.h"
#include "limber/companions/crossbar/report.h"
#include "limber/core/base/counted.h"
#include "limber/core/base/svg.h"

namespace limber::crossbar {
namespace {

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--ink:#1a1a1a;--soft:#666;--line:#ccc;--paper:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#eee;--soft:#aaa;--line:#444;--paper:#161616}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:64rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}.soft{color:var(--soft);font-size:.9rem}
svg{width:100%;height:auto;display:block}svg text{font-size:15px;fill:var(--ink)}
.wide{overflow-x:auto}table{border-collapse:collapse}
th,td{padding:.3rem .6rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}.total td{font-weight:700}
.legend span{margin-right:1rem;white-space:nowrap}.legend i{display:inline-block;width:.8rem;height:.8rem;margin-right:.3rem}
.part0{fill:#0072b2;background:#0072b2}.part1{fill:#d55e00;background:#d55e00}
.part2{fill:#009e73;background:#009e73}.part3{fill:#cc79a7;background:#cc79a7}
.bar{fill:#0072b2;opacity:.75}.axis{stroke:var(--line)}
.exact{stroke:#d55e00;stroke-width:2;stroke-dasharray:6 4}
)";

/// Three digits with the prefix that suits: 0.00123 W is "1.23 mW".
std::string with_unit(double value, std::string_view unit) {
  struct Prefix {
    double factor;
    std::string_view name;
  };
  for (const Prefix prefix : {Prefix{1, ""}, Prefix{1e-3, "m"}, Prefix{1e-6, "µ"},
                              Prefix{1e-9, "n"}, Prefix{1e-12, "p"}}) {
    if (value >= prefix.factor) {
      return fmt::format("{:.3g} {}{}", value / prefix.factor, prefix.name, unit);
    }
  }
  return fmt::format("{:.3g} {}", value, unit);
}

std::string area(double square_millimetres) {
  return fmt::format("{:.4g} mm²", square_millimetres);
}

std::string percent(double share) {
  return fmt::format("{:.2f} %", 100 * share);
}

std::string times(double ratio) {
  return ratio > 0 ? fmt::format("{:.2f}x", ratio) : "-";
}

std::string summary(const CrossbarReport& report) {
  const ComparedCounts& total = report.total;
  std::string html =
      "<div class=\"wide\"><table><tr><th></th><th>before</th><th>after</th><th>reduction</th></tr>"
      "\n";
  const auto row = [&](std::string_view what, const std::string& before, const std::string& after,
                       double part) {
    html += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", what, before,
                        after, percent(part));
  };
  const auto count = [&](std::string_view what, std::int64_t before, std::int64_t after) {
    row(what, fmt::format("{}", before), fmt::format("{}", after),
        reduction(static_cast<double>(before), static_cast<double>(after)));
  };
  count("weights", total.before.weights, total.after.kept);
  count("weights that are not zero", total.before.nonzero, total.after.nonzero);
  count("crossbars", total.before.crossbars, total.after.crossbars);
  count("cells in use", total.before.used_cells, total.after.used_cells);
  count("word lines driven", total.before.drivers, total.after.drivers);
  count("bit lines read", total.before.bit_lines, total.after.bit_lines);
  count("conversions of an inference, for each input bit", total.before.conversions,
        total.after.conversions);
  row("area", area(total.cost_before.area.sum()), area(total.cost_after.area.sum()),
      total.area_reduction());
  row("energy of an inference", with_unit(total.cost_before.energy.sum(), "J"),
      with_unit(total.cost_after.energy.sum(), "J"), total.power_reduction());
  row(fmt::format("power at {:.0f} inferences a second", kInferencesPerSecond),
      with_unit(power_of(total.cost_before, kInferencesPerSecond), "W"),
      with_unit(power_of(total.cost_after, kInferencesPerSecond), "W"), total.power_reduction());
  return html + "</table></div>\n";
}

std::string charts(const ComparedCounts& total) {
  std::string html = "<p class=\"legend\">";
  int part = 0;
  for (const std::string_view name :
       {"memory cells", "analogue-to-digital converters", "word-line drivers",
        "sample-and-holds, shift-and-adds, registers"}) {
    html += fmt::format("<span><i class=\"part{}\"></i>{}</span>", part++, name);
  }
  html += "</p>\n<h3>Area</h3>\n" +
          parts_chart(total.cost_before.area, total.cost_after.area,
                      {area(total.cost_before.area.sum()), area(total.cost_after.area.sum())});
  html += "<h3>Energy of an inference</h3>\n" +
          parts_chart(total.cost_before.energy, total.cost_after.energy,
                      {with_unit(total.cost_before.energy.sum(), "J"),
                       with_unit(total.cost_after.energy.sum(), "J")});
  return html;
}

std::string layer_row(std::string_view name, std::string_view bits, const ComparedCounts& counts,
                      bool total) {
  return fmt::format(
      "<tr{}><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>"
      "<td>{}</td><td>{}</td></tr>\n",
      total ? " class=\"total\"" : "", escape_markup(name), bits, counts.before.weights,
      counts.after.kept, times(counts.weight_compression()), counts.before.crossbars,
      counts.after.crossbars, percent(counts.area_reduction()), percent(counts.power_reduction()));
}

std::string layers(const CrossbarReport& report) {
  std::string html =
      "<div class=\"wide\"><table><tr><th>weight</th><th>bits</th><th>weights before</th>"
      "<th>after</th><th>compression</th><th>crossbars before</th><th>after</th>"
      "<th>area saved</th><th>power saved</th></tr>\n";
  for (const ComparedLayer& layer : report.layers) {
    html += layer_row(layer.name, layer.bits > 0 ? fmt::format("{}", layer.bits) : "-",
                      layer.counts, false);
  }
  return html + layer_row("all", "", report.total, true) + "</table></div>\n";
}

std::string published(const CrossbarReport& report) {
  std::string html =
      "<div class=\"wide\"><table><tr><th></th><th>weight compression</th><th>power reduction</th>"
      "<th>area reduction</th></tr>\n";
  const auto row = [&](std::string_view name, double compression, double power, double space) {
    html += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                        escape_markup(name), times(compression), percent(power), percent(space));
  };
  row("this network", report.total.weight_compression(), report.total.power_reduction(),
      report.total.area_reduction());
  for (const PublishedResult& result : kPublished) {
    row(fmt::format("{}, arXiv 1908.11691", result.network), result.weight_compression,
        result.power_reduction, result.area_reduction);
  }
  html += "</table></div>\n<p>Not the same measurement:</p>\n<ul>";
  for (const std::string_view sentence : kWhatDiffers) {
    html += fmt::format("<li>{}</li>\n", escape_markup(sentence));
  }
  return html + "</ul>\n";
}

std::string chips(const CrossbarReport& report) {
  const MonteCarloResult& result = report.chips;
  if (result.values.empty()) return "";
  std::string html = fmt::format(
      "<h2>Chips drawn at random</h2>\n<p>{}, each cell's conductance off by {} (deviation), {} "
      "of cells stuck low and {} stuck high. {} with exact weights (dashed): {:.5f}. Chips: mean "
      "{:.5f}, deviation {:.5f}, worst {:.5f}, best {:.5f}.</p>\n",
      counted(static_cast<std::int64_t>(result.values.size()), "chip"),
      percent(report.options.variation), percent(report.options.stuck_low),
      percent(report.options.stuck_high), escape_markup(report.metric_name), result.exact,
      result.mean, result.deviation, result.minimum, result.maximum);
  html += quality_histogram(result, report.metric_name);
  html += "<div class=\"wide\"><table><tr><th>share of chips below</th>";
  for (const auto& quantile : result.quantiles) {
    html += fmt::format("<th>{:.0f} %</th>", 100 * quantile.share);
  }
  html += fmt::format("</tr>\n<tr><td>{}</td>", escape_markup(report.metric_name));
  for (const auto& quantile : result.quantiles) {
    html += fmt::format("<td>{:.5f}</td>", quantile.value);
  }
  return html +
         "</tr></table></div>\n<p class=\"soft\">Cells vary and stick; converters are taken "
         "as exact and wires as without resistance.</p>\n";
}

}  // namespace

std::string render_crossbar_report(const CrossbarReport& report) {
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>{0}</title><style>{1}</style></head><body>\n<h1>{0}</h1>\n"
      "<p>{2} on crossbars of {3} x {4} cells of {5}. Before: dense, {6} a weight.</p>\n",
      escape_markup(report.title), kStyle,
      report.layers.size() == 1 ? std::string("1 weight matrix")
                                : fmt::format("{} weight matrices", report.layers.size()),
      report.options.rows, report.options.columns, counted(report.options.cell_bits, "bit"),
      counted(report.bits_before, "bit"));
  for (const std::string& note : report.notes) {
    html += fmt::format("<p class=\"soft\">{}</p>\n", escape_markup(note));
  }
  html += "<h2>Before and after</h2>\n" + summary(report) + charts(report.total);
  html +=
      "<p class=\"soft\">Estimates from published component figures of ISAAC (ISCA 2016), 32 nm; "
      "trust the ratios more than the values. Left out: buffers outside the arrays, buses and "
      "routers, activations, writing the weights, leakage.</p>\n";
  html += "<h2>Each weight</h2>\n" + layers(report);
  html += chips(report);
  html += "<h2>Published figures beside these</h2>\n" + published(report);
  return html + "</body></html>\n";
}

}  // namespace limber::crossbar
