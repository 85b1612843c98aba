#include "limber/companions/assign/results.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "limber/companions/assign/drawings.h"
#include "limber/companions/assign/measure_table.h"
#include "limber/companions/assign/report.h"
#include "limber/companions/assign/synthetic_instance.h"

namespace limber::assign {
namespace {

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

class ResultsTest : public testing::Test {
 protected:
  ResultsTest() {
    Random random(2);
    instance_ = small_instance({}, random);
    instance_.candidate_names[0] = "Ann \"A\", <b>&";
    instance_.attributes[0].name = "<i>";
    SolveOptions options;
    options.trade_offs = {0.5};
    options.starts = 1;
    options.kicks = 2;
    solution_ = solve(instance_, measure_, options);
    given_ = {0, 1, 2, 3, 4, 5, 6};
    results_ = make_results(instance_, measure_, solution_, 0.5, given_);
  }

  const MeasureDescription& measure_ = measures()[2];
  Instance instance_;
  Solution solution_;
  Assignment given_;
  Results results_;
};

TEST_F(ResultsTest, TablesHoldALineForEach) {
  const std::size_t points = solution_.front.points().size();
  EXPECT_EQ(lines(assignment_csv(results_)), 8U);
  EXPECT_EQ(lines(front_csv(results_)), 1 + points);
  EXPECT_EQ(lines(front_assignments_csv(results_)), 1 + 7 * points);
  EXPECT_EQ(results_.table.size(), 5U);
  EXPECT_EQ(lines(table_text(results_)), 6U);
}

TEST_F(ResultsTest, SummarySaysWhatWasFound) {
  const auto summary = nlohmann::json::parse(summary_json(results_));
  EXPECT_EQ(summary["positions"], 7);
  EXPECT_EQ(summary["sweep"].size(), 3U);
  const Score given = exact_score(instance_, measure_, given_);
  EXPECT_NEAR(summary["given"]["fitness"].get<double>(), given.fitness, 1e-12);
  EXPECT_NEAR(summary["given"]["diversity"].get<double>(), given.diversity, 1e-12);
  EXPECT_NEAR(summary["compared"][4]["exposure"].get<double>(), given.diversity, 1e-12);
  const SweepPoint& even = solution_.sweep[1];
  EXPECT_DOUBLE_EQ(
      summary["sweep"][1]["reward"].get<double>(),
      (Objective{0.5, solution_.fitness_unit, solution_.diversity_unit}).reward(even.score));
}

TEST_F(ResultsTest, ReportEscapesNamesAndDrawsEverything) {
  const std::string html = render_report(results_);
  EXPECT_EQ(html.find("<b>"), std::string::npos);
  EXPECT_EQ(html.find("<i>"), std::string::npos);
  EXPECT_NE(html.find("Ann &quot;A&quot;, &lt;b&gt;&amp;"), std::string::npos);
  // One drawing of the front; before, after and given for every attribute.
  EXPECT_EQ(occurrences(html, "<svg"), 1 + 3 * instance_.attributes.size());
  EXPECT_EQ(occurrences(html, "class=\"front-point\""), solution_.front.points().size());
  EXPECT_EQ(occurrences(html, "class=\"position\""),
            std::size_t{3 * 7} * instance_.attributes.size());
  for (const char* outside : {"http", "src=", "@import", "url("}) {
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  }
  EXPECT_EQ(occurrences(html, "nan"), 0U);
}

TEST_F(ResultsTest, DrawsAPartOfALargeNetwork) {
  const Layout whole = lay_out(instance_, 300);
  EXPECT_TRUE(whole.whole);
  const Layout part = lay_out(instance_, 10);
  EXPECT_FALSE(part.whole);
  EXPECT_EQ(part.positions, 2U);
  EXPECT_EQ(whole.positions, instance_.positions.size());
  EXPECT_LE(part.nodes.size(), 10U);
  EXPECT_GE(part.nodes.size(), 2U);
  for (const Point& point : whole.points) {
    EXPECT_GE(point.x, 0);
    EXPECT_LE(point.x, 1);
    EXPECT_GE(point.y, 0);
    EXPECT_LE(point.y, 1);
  }
  EXPECT_EQ(static_cast<std::int64_t>(whole.ties.size()), instance_.network.ties());
}

TEST(MeasureTable, IsWhatScoresSay) {
  Random random(6);
  const Instance instance = small_instance({}, random);
  MeasureTable table(instance);
  for (const Candidate shift : {0, 1, 2}) {
    Assignment assignment;
    for (Candidate c = 0; c < 7; ++c) assignment.push_back(c + shift);
    const std::vector<double> means = over_attributes(table.values(assignment));
    for (std::size_t m = 0; m < measures().size(); ++m) {
      EXPECT_NEAR(means[m], exact_score(instance, measures()[m], assignment).diversity, 1e-12);
    }
  }
}

TEST(CsvField, QuotesWhatMustBe) {
  EXPECT_EQ(csv_field("plain text"), "plain text");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(csv_field("two\nlines"), "\"two\nlines\"");
}

TEST(GivenComparison, StandsToTheFront) {
  Front front;
  front.add({{0, 4}, {}});
  front.add({{6, 3}, {}});
  front.add({{10, 0}, {}});
  const GivenComparison inside = compare_given({5, 2}, front);
  EXPECT_FALSE(inside.on_front);
  EXPECT_EQ(inside.dominated_by, 1U);
  EXPECT_EQ(inside.no_less_fit->diversity, 3);
  EXPECT_EQ(inside.no_less_diverse->fitness, 6);
  EXPECT_NE(describe(inside).find("diversity could be 3.0000"), std::string::npos);

  const GivenComparison on = compare_given({6, 3}, front);
  EXPECT_TRUE(on.on_front);
  EXPECT_NE(describe(on).find("Nothing found is better"), std::string::npos);

  const GivenComparison beyond = compare_given({11, -1}, front);
  EXPECT_TRUE(beyond.on_front);
  EXPECT_FALSE(beyond.no_less_fit.has_value());
  // Equal on one count, worse on the other.
  EXPECT_EQ(compare_given({6, 2}, front).dominated_by, 1U);
}

TEST(GivenComparison, DoesNotDependOnTheUnitOfFitness) {
  for (const double unit : {1e-12, 1.0, 1e12}) {
    SCOPED_TRACE(unit);
    Front front;
    front.add({{0, 4}, {}});
    front.add({{6 * unit, 3}, {}});
    const GivenComparison worse = compare_given({5 * unit, 3}, front);
    EXPECT_EQ(worse.dominated_by, 1U);
    // The same assignment, its fitness summed in another order.
    EXPECT_TRUE(compare_given({6 * unit * (1 - 1e-15), 3}, front).on_front);
  }
}

}  // namespace
}  // namespace limber::assign
