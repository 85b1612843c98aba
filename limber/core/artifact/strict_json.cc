#include "limber/core/artifact/strict_json.h"

#include <set>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/core/base/one_line.h"

namespace limber {

nlohmann::json parse_strict_json(std::string_view text, const std::string& origin) {
  using Event = nlohmann::json::parse_event_t;
  constexpr int kDeepest = 64;
  std::vector<std::set<std::string>> open_objects;
  const auto check = [&](int depth, Event event, nlohmann::json& parsed) {
    if (depth > kDeepest) throw InputError("{}: nested deeper than {}", origin, kDeepest);
    if (event == Event::object_start) {
      open_objects.emplace_back();
    } else if (event == Event::object_end) {
      open_objects.pop_back();
    } else if (event == Event::key) {
      const std::string& key = parsed.get_ref<const std::string&>();
      if (!open_objects.back().insert(key).second) {
        throw InputError("{}: the key {} occurs twice in one object", origin,
                         one_line(parsed.dump()));
      }
    }
    return true;
  };
  // The parser takes a zero byte for the end of the text, and leaves out a byte order mark.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
    throw InputError("{}: not valid JSON at byte {}", origin, zero + 1);
  }
  if (text.starts_with("\xEF\xBB\xBF")) throw InputError("{}: not valid JSON at byte 1", origin);
  try {
    return nlohmann::json::parse(text, check);
  } catch (const nlohmann::json::parse_error& error) {
    throw InputError("{}: not valid JSON at byte {}", origin, error.byte);
  } catch (const nlohmann::json::exception&) {
    // A number out of range is not a parse_error.
    throw InputError("{}: not valid JSON", origin);
  }
}

}  // namespace limber
