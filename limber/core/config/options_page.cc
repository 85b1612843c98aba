#include <fmt/format.h>

#include <iterator>
#include <string>

#include "limber/core/config/config.h"
#include "limber/core/config/constraint_text.h"
#include "limber/core/config/option_list.h"
#include "limber/core/config/yaml_writer.h"

namespace limber {
namespace {

constexpr const char* kIntroduction = R"(# Options

<!-- Made by `limber-tools options > docs/options.md` from limber/core/config/options.h. -->

A config is one YAML file. A section of this page is a map in the file, so that `train.seed` is

```yaml
train:
  seed: 3
```

Where a list is expected, a single value is a list of one. A relative path in `data` is relative to
the config file's folder. An unknown or repeated key is an error.

`--set KEY=VALUE`, which may be repeated, changes an option for one run: `--set train.seed=3`,
`--set model.global_block.hidden=[64,32]`, `--set data.labels.like="rating >= 4"`. NAME stands for a
feature's or a table's name: `--set features.age.dim=8`. A value that begins with `[`, `{` or a quote
is YAML; any other is taken as it stands.
)";

/// A table's cell: a bar would end it.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char letter : text) {
    if (letter == '|') escaped += '\\';
    escaped += letter == '\n' ? ' ' : letter;
  }
  return escaped;
}

std::string default_cell(const Option& option) {
  if (option.required) return "*required*";
  return fmt::format("`{}`", cell(write_flow_yaml(option.default_value)));
}

std::string allowed_cell(const Constraint& constraint) {
  if (constraint.choices.empty()) return constraint_text(constraint);
  std::string words;
  for (const std::string& choice : constraint.choices) {
    words += fmt::format("{}`{}`", words.empty() ? "" : ", ", choice);
  }
  return cell(words);
}

const char* form_note(OptionSection::Form form) {
  switch (form) {
    case OptionSection::Form::one:
      return "";
    case OptionSection::Form::list:
      return " A list of maps, each with these options.";
    case OptionSection::Form::map:
      return " A map from each NAME to these options.";
  }
  return "";
}

}  // namespace

std::string options_page() {
  std::string page = kIntroduction;
  auto out = std::back_inserter(page);
  for (const OptionSection& section : list_options()) {
    if (section.path.empty()) {
      fmt::format_to(out, "\n## The whole config\n");
    } else {
      fmt::format_to(out, "\n## {}\n\n{}{}\n", section.path, section.sentence,
                     form_note(section.form));
    }
    if (section.options.empty()) continue;
    fmt::format_to(out, "\n| option | type | default | allowed | |\n|---|---|---|---|---|\n");
    for (const Option& option : section.options) {
      fmt::format_to(out, "| `{}` | {} | {} | {} | {} |\n", option.name, option.type,
                     default_cell(option), allowed_cell(option.constraint), cell(option.sentence));
    }
  }
  return page;
}

}  // namespace limber
