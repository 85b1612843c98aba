#pragma once

#include <string_view>

namespace limber {

/// What a column's name suggests, word by word: "userId", "user_id" and "USER-ID" all read "user
/// id". Used for guesses alone, never to decide what data mean.

bool is_id_name(std::string_view column);

/// How much the name is that of whom to personalise for: 0 not at all, more for a better fit.
int person_score(std::string_view column);
int time_score(std::string_view column);
/// A click, a like, a purchase: what a 0/1 column may be the label of.
int outcome_score(std::string_view column);
int rating_score(std::string_view column);

/// A quantity whose size means something (age, year, price), as against a code.
bool is_quantity_name(std::string_view column);
/// A code whose size means nothing, even where it is written as a number (zip, occupation).
bool is_code_name(std::string_view column);

}  // namespace limber
