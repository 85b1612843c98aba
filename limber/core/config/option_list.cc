#include "limber/core/config/option_list.h"

#include <cstdint>
#include <map>

#include "limber/core/config/option_writer.h"
#include "limber/core/config/section.h"

namespace limber {
namespace {

const char* type_name(const std::string&) {
  return "text";
}
const char* type_name(const bool&) {
  return "true or false";
}
const char* type_name(const double&) {
  return "number";
}
const char* type_name(const std::int64_t&) {
  return "whole number";
}
const char* type_name(const std::uint64_t&) {
  return "whole number";
}
const char* type_name(const Words&) {
  return "list of texts";
}
const char* type_name(const Sizes&) {
  return "list of whole numbers";
}
const char* type_name(const std::map<std::string, std::string>&) {
  return "texts by name";
}
const char* type_name(const std::map<std::string, double>&) {
  return "numbers by name";
}
const char* type_name(const std::map<std::string, Words>&) {
  return "lists of texts by name";
}

using Form = OptionSection::Form;

class Lister {
 public:
  Lister(std::vector<OptionSection>& sections, std::size_t place)
      : sections_(sections), place_(place) {}

  template <class T>
  void operator()(const char* name, T& value, const Constraint& constraint, const char* sentence) {
    if constexpr (Section<T>) {
      enter(value, name, Form::one, sentence);
    } else {
      sections_[place_].options.push_back({name, type_name(value), write_value(value), constraint,
                                           is_required(value, constraint), sentence});
    }
  }

  template <Section T>
  void operator()(const char* name, std::vector<T>&, const Constraint&, const char* sentence) {
    T item;
    enter(item, std::string(name) + ".NAME", Form::list, sentence);
  }

  template <Section T>
  void operator()(const char* name, std::map<std::string, T>&, const Constraint&,
                  const char* sentence) {
    T item;
    enter(item, std::string(name) + ".NAME", Form::map, sentence);
  }

 private:
  template <Section T>
  void enter(T& section, const std::string& name, Form form, const char* sentence) {
    sections_.push_back({join_path(sections_[place_].path, name), form, sentence, {}});
    Lister inside(sections_, sections_.size() - 1);
    section.describe(inside);
  }

  std::vector<OptionSection>& sections_;
  std::size_t place_;
};

}  // namespace

std::vector<OptionSection> list_options() {
  std::vector<OptionSection> sections(1);
  Config config;
  Lister lister(sections, 0);
  config.describe(lister);
  return sections;
}

}  // namespace limber
