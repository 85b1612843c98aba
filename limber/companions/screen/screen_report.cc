#include "limber/companions/screen/screen_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "limber/companions/screen/mixture_chart.h"
#include "limber/core/base/svg.h"

namespace limber::screen {
namespace {

constexpr const char* kStyle = R"(
:root{--ink:#1c2330;--dim:#5b6577;--line:#d9dee7;--back:#fff;--bar:#c9d4e5;--fit:#1f5fbf;--null:#c2571a}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8f0;--dim:#9aa4b6;--line:#333c4d;--back:#12161e;--bar:#3a4a66;--fit:#7db2ff;--null:#ff9d5c}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.2rem}.dim{color:var(--dim)}
table{border-collapse:collapse;font-size:.9rem}th,td{padding:.25rem .7rem;border-bottom:1px solid var(--line);text-align:right}
th:first-child,td:first-child,.text{text-align:left}.wide{overflow-x:auto}svg{width:100%;height:auto}
svg text{fill:var(--dim);font-size:12px}.bar{fill:var(--bar)}.axis{stroke:var(--line)}
.fit{fill:none;stroke:var(--fit);stroke-width:2}.null{fill:none;stroke:var(--null);stroke-width:2;stroke-dasharray:5 4}
.best{font-weight:700}
)";

std::string direction_name(const ScreenModel& model, std::size_t k) {
  return model.directions() == 1 ? model.classes[1] + " minus " + model.classes[0]
                                 : model.classes[k] + " minus the rest";
}

std::string percent(double share) {
  return fmt::format("{:.2f}%", 100 * share);
}

/// A probability near one: how far from it is what matters.
std::string probability(double zero) {
  if (zero >= 0.001) return fmt::format("{:.4f}", 1 - zero);
  return zero > 0 ? fmt::format("1 - {:.0e}", zero) : "1";
}

std::string summary(const ScreenModel& model) {
  const Estimate& estimate = model.estimate;
  std::string html = "<table>";
  const auto row = [&](std::string_view what, const std::string& value) {
    html += fmt::format("<tr><td>{}</td><td>{}</td></tr>", what, value);
  };
  std::string samples;
  for (std::size_t k = 0; k < model.classes.size(); ++k) {
    samples += fmt::format("{}{} {}", k == 0 ? "" : ", ", model.class_samples[k],
                           escape_markup(model.classes[k]));
  }
  row("Samples", samples);
  row("Features", fmt::format("{}; {} constant, {} with too few values", estimate.features,
                              estimate.constant, estimate.too_few));
  row("Variance prior",
      std::isinf(estimate.prior.degrees)
          ? std::string("all features share one variance")
          : fmt::format("worth {:.1f} degrees of freedom", estimate.prior.degrees));
  row("Values", fmt::format("{}{}",
                            model.transform.kind == Transform::Kind::kAsinh
                                ? fmt::format("asinh(x / {:.4g})", model.transform.unit)
                                : std::string("as they are"),
                            model.transform.standardize_samples ? ", samples standardised" : ""));
  row(fmt::format("Selected at a false-discovery rate of {:g}", model.fdr),
      fmt::format("{} features", model.selected));
  row("Rule",
      fmt::format("{}; {} features have a weight", rule_name(model.kind), model.names.size()));
  if (model.tuned) {
    row("Inner error of tuning (optimistic)",
        fmt::format("{} of {} samples", percent(model.tuning.error), model.tuning.samples));
  }
  return html + "</table>";
}

std::string validation_section(const nlohmann::json& json, const ScreenModel& model) {
  std::string html = fmt::format(
      "<h2>Cross-validated error</h2><p>{} [{}, {}] over {} samples, {} repeat{}; log loss {:.3f}. "
      "Everything is learned inside the folds; the interval is Wilson's, of the samples.</p>"
      "<div class=wide><table><tr><th>true \\ predicted</th>",
      percent(json.at("error").get<double>()), percent(json.at("low").get<double>()),
      percent(json.at("high").get<double>()), json.at("samples").get<std::int64_t>(),
      json.at("repeats").get<std::int64_t>(),
      json.at("repeats").get<std::int64_t>() == 1 ? "" : "s", json.at("log_loss").get<double>());
  for (const auto& name : model.classes) html += "<th>" + escape_markup(name) + "</th>";
  html += "</tr>";
  for (std::size_t k = 0; k < model.classes.size(); ++k) {
    html += "<tr><td>" + escape_markup(model.classes[k]) + "</td>";
    for (const auto& count : json.at("confusion").at(k)) {
      html += fmt::format("<td>{}</td>", count.get<std::int64_t>());
    }
    html += "</tr>";
  }
  return html + "</table></div>";
}

std::string mixture_section(const ScreenModel& model) {
  std::string html =
      "<h2>The mixture over z</h2><p class=dim>Bars: normalised mean differences of all features. "
      "Line: the fitted density. Dashed: the part of features without a difference.</p>";
  for (std::size_t k = 0; k < model.directions(); ++k) {
    const Mixture& mixture = model.estimate.mixtures[k];
    html += fmt::format("<h3>{}</h3>", escape_markup(direction_name(model, k)));
    html += mixture_chart(model.estimate.histograms[k], mixture);
    html += fmt::format(
        "<p class=dim>{} of features are zero. Null deviation {:.3f}; concentration {:.3f}, zero "
        "mass "
        "{:.3f}, slab deviation {:.2f}. Evidence bound {:.2f} after {} passes{}.</p>",
        percent(mixture.null_share()), mixture.null_sd, mixture.concentration, mixture.zero_mass,
        std::sqrt(mixture.slab_variance), mixture.bound, mixture.passes,
        mixture.converged ? "" : " (not converged)");
  }
  return html;
}

std::string tuning_section(const ScreenModel& model) {
  if (!model.tuned) return "";
  const Tuning& tuning = model.tuning;
  std::vector<std::int64_t> sizes;
  std::vector<double> shares;
  for (const Candidate& tried : tuning.tried) {
    if (std::find(sizes.begin(), sizes.end(), tried.features) == sizes.end()) {
      sizes.push_back(tried.features);
    }
    if (std::find(shares.begin(), shares.end(), tried.share) == shares.end()) {
      shares.push_back(tried.share);
    }
  }
  std::string html = fmt::format(
      "<h2>Tuning</h2><p class=dim>Errors on {} samples held out, by the number of features (down) "
      "and the share of independence in their correlation (across). The rule is the mean of those "
      "in bold.</p><div class=wide><table><tr><th>features</th>",
      tuning.samples);
  for (const double share : shares) html += fmt::format("<th>{:g}</th>", share);
  for (const std::int64_t size : sizes) {
    html += fmt::format("</tr><tr><td>{}</td>", size_name(size));
    for (const double share : shares) {
      for (std::size_t c = 0; c < tuning.tried.size(); ++c) {
        if (tuning.tried[c].features != size || tuning.tried[c].share != share) continue;
        const bool used = std::any_of(
            tuning.candidates.begin(), tuning.candidates.end(), [&](const Candidate& candidate) {
              return candidate.features == size && candidate.share == share;
            });
        html += fmt::format("<td{}>{}</td>", used ? " class=best" : "", tuning.wrong[c]);
      }
    }
  }
  return html + "</tr></table></div>";
}

std::string features_section(const ScreenModel& model, int top) {
  const std::size_t shown = std::min(model.names.size(), static_cast<std::size_t>(top));
  const std::size_t directions = model.directions();
  std::string html = fmt::format(
      "<h2>Features</h2><p class=dim>The first {} of {} kept. Effect: the shrunken normalised "
      "difference. Probability: of being non-zero.</p><div class=wide><table><tr><th>rank</th>"
      "<th class=text>feature</th>",
      shown, model.names.size());
  for (std::size_t k = 0; k < directions; ++k) {
    const std::string of = directions == 1 ? "" : " " + escape_markup(model.classes[k]);
    html += fmt::format("<th>effect{0}</th><th>probability{0}</th><th>z{0}</th>", of);
  }
  html += "</tr>";
  for (std::size_t j = 0; j < shown; ++j) {
    html +=
        fmt::format("<tr><td>{}</td><td class=text>{}</td>", j + 1, escape_markup(model.names[j]));
    for (std::size_t k = 0; k < directions; ++k) {
      const std::size_t at = j * directions + k;
      html += fmt::format("<td>{:.3f}</td><td>{}</td><td>{:.3f}</td>", model.effects[at],
                          probability(model.zeros[at]), model.zs[at]);
    }
    html += "</tr>";
  }
  return html + "</table></div>";
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"') result += '"';
    result += letter;
  }
  return result + '"';
}

}  // namespace

std::string render_screen_report(const ScreenModel& model, const nlohmann::json& validation,
                                 int top) {
  std::string title;
  for (std::size_t k = 0; k < model.classes.size(); ++k) {
    title += (k == 0                          ? ""
              : k + 1 == model.classes.size() ? " and "
                                              : ", ") +
             escape_markup(model.classes[k]);
  }
  std::string html =
      "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
      "<meta name=viewport content=\"width=device-width,initial-scale=1\">";
  html += fmt::format(
      "<title>What tells {0} apart</title><style>{1}</style></head><body>"
      "<h1>What tells {0} apart</h1>",
      title, kStyle);
  html += summary(model);
  if (!validation.is_null()) html += validation_section(validation, model);
  html += mixture_section(model);
  html += features_section(model, top);
  html += tuning_section(model);
  return html + "</body></html>\n";
}

std::string kept_features_csv(const ScreenModel& model) {
  const std::size_t directions = model.directions();
  std::string csv = "rank,feature,center,scale";
  for (std::size_t k = 0; k < directions; ++k) {
    for (const char* what : {"effect", "probability", "z", "weight"}) {
      csv += "," + quoted(directions == 1 ? what : fmt::format("{}_{}", what, model.classes[k]));
    }
  }
  csv += "\n";
  for (std::size_t j = 0; j < model.names.size(); ++j) {
    csv += fmt::format("{},{},{},{}", j + 1, quoted(model.names[j]), model.centers[j],
                       model.scales[j]);
    for (std::size_t k = 0; k < directions; ++k) {
      const std::size_t at = j * directions + k;
      csv += fmt::format(",{},{},{},{}", model.effects[at], 1 - model.zeros[at], model.zs[at],
                         model.weights[at]);
    }
    csv += "\n";
  }
  return csv;
}

}  // namespace limber::screen
