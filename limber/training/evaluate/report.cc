#include "limber/training/evaluate/report.h"

#include <string_view>

#include "limber/core/base/error.h"
#include "limber/core/base/svg.h"
#include "limber/training/evaluate/ranking_metrics.h"
#include "limber/training/evaluate/report_schema.h"

extern const char limber_report_page[];
extern const unsigned long limber_report_page_size;
extern const char limber_report_style[];
extern const unsigned long limber_report_style_size;
extern const char limber_report_script[];
extern const unsigned long limber_report_script_size;
extern const char limber_report_charts[];
extern const unsigned long limber_report_charts_size;
extern const char limber_uplot_script[];
extern const unsigned long limber_uplot_script_size;
extern const char limber_uplot_style[];
extern const unsigned long limber_uplot_style_size;

namespace limber {
namespace {

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  for (;;) {
    const std::size_t at = text.find(from);
    result += text.substr(0, at);
    if (at == std::string_view::npos) return result;
    result += to;
    text.remove_prefix(at + from.size());
  }
}

nlohmann::json columns() {
  nlohmann::json list = nlohmann::json::array();
  for (const MetricDescription& metric : metric_descriptions) {
    const char* best = metric.best == Best::highest  ? "highest"
                       : metric.best == Best::lowest ? "lowest"
                                                     : "nearest_one";
    list.push_back({{"key", metric.key},
                    {"title", metric.title},
                    {"best", best},
                    {"meaning", metric.meaning}});
  }
  return list;
}

/// What stands for {{name}} in the page.
std::string part(std::string_view name, const nlohmann::json& report) {
  if (name == "title") return escape_markup(report.at("title").get_ref<const std::string&>());
  if (name == "style") return {limber_report_style, limber_report_style_size};
  if (name == "script") return {limber_report_script, limber_report_script_size};
  if (name == "charts") return {limber_report_charts, limber_report_charts_size};
  if (name == "uplot_script") return {limber_uplot_script, limber_uplot_script_size};
  if (name == "uplot_style") return {limber_uplot_style, limber_uplot_style_size};
  if (name == "data") return json_for_script({{"report", report}, {"columns", columns()}});
  throw Error("report page: nothing is known of {{{{{}}}}}", name);
}

}  // namespace

std::string json_for_script(const nlohmann::json& json) {
  std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  // All five can only stand inside JSON strings, where an escape means the same character.
  text = replace_all(text, "<", "\\u003c");
  text = replace_all(text, ">", "\\u003e");
  text = replace_all(text, "&", "\\u0026");
  text = replace_all(text, "\xE2\x80\xA8", "\\u2028");
  return replace_all(text, "\xE2\x80\xA9", "\\u2029");
}

std::string render_report(const nlohmann::json& report) {
  check_report(report);
  std::string_view page(limber_report_page, limber_report_page_size);
  std::string result;
  // One pass over the page: what is put in is never searched for further places.
  for (;;) {
    const std::size_t open = page.find("{{");
    result += page.substr(0, open);
    if (open == std::string_view::npos) return result;
    const std::size_t close = page.find("}}", open);
    if (close == std::string_view::npos) throw Error("report page: {{{{ is never closed");
    result += part(page.substr(open + 2, close - open - 2), report);
    page.remove_prefix(close + 2);
  }
}

}  // namespace limber
