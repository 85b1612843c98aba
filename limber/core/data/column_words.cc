#include "limber/core/data/column_words.h"

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <string>
#include <vector>

namespace limber {
namespace {

using WordList = std::initializer_list<std::string_view>;

bool is_any(std::string_view word, WordList vocabulary) {
  return std::find(vocabulary.begin(), vocabulary.end(), word) != vocabulary.end();
}

std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  bool was_lower = false;
  for (const char letter : name) {
    const auto byte = static_cast<unsigned char>(letter);
    if (std::isalnum(byte) == 0) {
      if (!words.back().empty()) words.emplace_back();
      was_lower = false;
      continue;
    }
    if (std::isupper(byte) != 0 && was_lower) words.emplace_back();
    was_lower = std::islower(byte) != 0;
    words.back() += static_cast<char>(std::tolower(byte));
  }
  if (words.back().empty()) words.pop_back();
  // "userid" is two words, whatever its writer thought; "android" is one.
  if (words.size() == 1 && words[0].ends_with("id")) {
    const std::string thing = words[0].substr(0, words[0].size() - 2);
    if (is_any(thing,
               {"user",     "member", "customer", "client", "account",   "visitor",  "item",
                "product",  "movie",  "session",  "ad",     "article",   "post",     "video",
                "song",     "track",  "book",     "news",   "doc",       "creative", "artist",
                "campaign", "page",   "shop",     "seller", "advertiser"})) {
      words = {thing, "id"};
    }
  }
  return words;
}

bool has_any(std::string_view column, WordList vocabulary) {
  const std::vector<std::string> words = words_of(column);
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return is_any(word, vocabulary); });
}

/// 2 when every word belongs to the vocabulary (or is "id"), 1 when one does, else 0.
int fit(std::string_view column, WordList vocabulary) {
  const std::vector<std::string> words = words_of(column);
  int known = 0;
  bool others = false;
  for (const std::string& word : words) {
    if (is_any(word, vocabulary)) {
      ++known;
    } else if (word != "id" && word != "is") {
      others = true;
    }
  }
  return known == 0 ? 0 : others ? 1 : 2;
}

}  // namespace

bool is_id_name(std::string_view column) {
  return has_any(column, {"id", "ids", "uuid", "guid", "sku", "asin", "isbn"});
}

int person_score(std::string_view column) {
  const int score = fit(column, {"member", "user", "viewer", "customer", "visitor", "account",
                                 "client", "person", "reader", "listener", "player", "buyer",
                                 "reviewer", "session", "advertiser", "company"});
  return score == 0 ? 0 : score + (is_id_name(column) ? 2 : 0);
}

int time_score(std::string_view column) {
  return fit(column, {"timestamp", "time", "date", "datetime", "ts", "at", "created", "event",
                      "unix", "when", "day"});
}

int outcome_score(std::string_view column) {
  return fit(column, {"click",      "clicked",   "label",    "like",      "liked",    "likes",
                      "target",     "converted", "bought",   "buy",       "purchase", "purchased",
                      "apply",      "applied",   "install",  "installed", "response", "responded",
                      "conversion", "positive",  "watched",  "read",      "opened",   "saved",
                      "shared",     "follow",    "followed", "accepted",  "outcome",  "y"});
}

int rating_score(std::string_view column) {
  return fit(column, {"rating", "ratings", "rate", "rated", "star", "stars", "score", "grade",
                      "vote", "votes", "feedback"});
}

bool is_quantity_name(std::string_view column) {
  return has_any(column, {"age",         "year",   "years",    "price",    "cost",    "amount",
                          "count",       "counts", "number",   "num",      "n",       "length",
                          "duration",    "size",   "days",     "hours",    "minutes", "seconds",
                          "distance",    "rank",   "position", "score",    "rating",  "income",
                          "salary",      "weight", "height",   "quantity", "views",   "clicks",
                          "impressions", "rate",   "ratio",    "percent",  "total",   "budget"});
}

bool is_code_name(std::string_view column) {
  return has_any(column,
                 {"zip",     "postal",   "postcode", "code",       "occupation", "job",
                  "type",    "category", "class",    "gender",     "sex",        "region",
                  "country", "city",     "state",    "genre",      "device",     "group",
                  "segment", "brand",    "language", "browser",    "platform",   "os",
                  "channel", "slot",     "industry", "department", "color",      "cluster"});
}

}  // namespace limber
