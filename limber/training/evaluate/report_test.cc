#include "limber/training/evaluate/report.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "limber/core/base/error.h"

namespace limber {
namespace {

using nlohmann::json;

std::string error_of(const json& report) {
  try {
    render_report(report);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

/// The JSON that a browser would read from the page.
json data_of(const std::string& page) {
  const std::string start = R"(<script type="application/json" id="data">)";
  const std::size_t open = page.find(start);
  EXPECT_NE(open, std::string::npos);
  const std::size_t from = open + start.size();
  return json::parse(page.substr(from, page.find("</script>", from) - from));
}

json small_report() {
  return json::parse(R"({"title": "T", "protocols": [{"name": "Cold", "models": [
    {"name": "A", "metrics": {"auc": {"value": 0.7, "low": null}, "rows": 3},
     "support": [{"label": "0", "from": 0, "to": 0, "metrics": {"auc": {"value": null}}}],
     "reliability": [{"predicted": 0.5, "observed": null, "rows": 2}]}],
    "differences": {"baseline": "A", "models": []}}],
    "training": [{"title": "Loss", "series": [{"name": "s", "points": [[0, 1.5], [1, null]]}]}]})");
}

TEST(Report, CarriesTheDataUnchanged) {
  const json report = small_report();
  const json data = data_of(render_report(report));
  EXPECT_EQ(data["report"], report);
  ASSERT_EQ(data["columns"].size(), 7U);
  EXPECT_EQ(data["columns"][0]["key"], "auc");
  EXPECT_EQ(data["columns"][4]["best"], "nearest_one");
}

TEST(Report, HostileTextStaysText) {
  const std::string hostile =
      "</script><script>alert(1)</script> <!-- {{style}} & \" \xE2\x80\xA8 \xE2\x80\xA9";
  json report{{"title", hostile}, {"notes", {hostile}}};
  const std::string page = render_report(report);
  EXPECT_EQ(data_of(page)["report"], report);
  EXPECT_EQ(count(page, "</script>"), count(render_report({{"title", "T"}}), "</script>"));
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(page.find("\xE2\x80\xA8", page.find("id=\"data\"")), std::string::npos);
  EXPECT_NE(page.find("&lt;/script&gt;&lt;script&gt;alert(1)"), std::string::npos);
  // Both in the title and in the data the placeholder is text, and the page's own ones are gone.
  EXPECT_NE(page.find("{{style}}"), std::string::npos);
  EXPECT_EQ(page.find("{{script}}"), std::string::npos);
}

TEST(Report, BadBytesAreReplacedNotFatal) {
  EXPECT_EQ(json::parse(json_for_script({{"a", "x\xFFy"}}))["a"], "x\xEF\xBF\xBDy");
}

TEST(Report, IsSelfContained) {
  const std::string page = render_report(small_report());
  for (const char* reach : {"src=\"", "src='", "@import", "url(http", "href=\"http"}) {
    EXPECT_EQ(page.find(reach), std::string::npos) << reach;
  }
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

TEST(Report, NamesWhereItDepartsFromTheSchema) {
  const auto broken = [](const std::function<void(json&)>& damage) {
    json report = small_report();
    damage(report);
    return error_of(report);
  };
  EXPECT_EQ(broken([](json&) {}), "");
  EXPECT_EQ(error_of(json::array()), "report: expected an object");
  EXPECT_EQ(broken([](json& r) { r.erase("title"); }), "report.title: missing");
  EXPECT_EQ(broken([](json& r) { r["protocol"] = json::array(); }), "report.protocol: unknown key");
  EXPECT_EQ(broken([](json& r) { r["notes"] = "one"; }), "report.notes: expected array");
  EXPECT_EQ(broken([](json& r) { r["notes"] = {1}; }), "report.notes[0]: expected string");
  EXPECT_EQ(broken([](json& r) { r["protocols"][0]["models"][0].erase("name"); }),
            "report.protocols[0].models[0].name: missing");
  EXPECT_EQ(broken([](json& r) {
              json& models = r["protocols"][0]["models"];
              models.push_back(models[0]);
            }),
            "report.protocols[0].models[1].name: A is there twice");
  EXPECT_EQ(
      broken([](json& r) { r["protocols"][0]["models"][0]["metrics"]["auc"]["value"] = "x"; }),
      "report.protocols[0].models[0].metrics.auc.value: expected a number");
  EXPECT_EQ(broken([](json& r) { r["protocols"][0]["models"][0]["support"][0].erase("from"); }),
            "report.protocols[0].models[0].support[0].from: missing");
  EXPECT_EQ(broken([](json& r) { r["protocols"][0]["differences"].erase("baseline"); }),
            "report.protocols[0].differences.baseline: missing");
  EXPECT_EQ(broken([](json& r) { r["training"][0]["series"][0]["points"][1] = {1}; }),
            "report.training[0].series[0].points[1]: expected [x, y]");
}

}  // namespace
}  // namespace limber
