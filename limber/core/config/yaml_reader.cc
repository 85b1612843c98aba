#include "limber/core/config/yaml_reader.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>
#include <vector>

#include "limber/core/base/error.h"

namespace limber {
namespace {

/// Aliases of aliases can make a small file stand for a huge tree.
constexpr std::size_t kMostNodes = 100000;

std::size_t count_nodes(const ConfigNode& node) {
  std::size_t count = 1;
  for (const ConfigNode& item : node.items) count += count_nodes(item);
  return count;
}

bool is_utf8(const std::string& text) {
  try {
    static_cast<void>(nlohmann::json(text).dump());
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

class Places {
 public:
  Places(std::string origin, Lines lines) : origin_(std::move(origin)), lines_(lines) {}

  /// `line` counts from 0, as yaml-cpp does; below 0 means unknown.
  std::string at(int line) const {
    if (lines_ == Lines::unnumbered || line < 0) return origin_;
    return fmt::format("{}:{}", origin_, line + 1);
  }

 private:
  std::string origin_;
  Lines lines_;
};

/// Turns yaml-cpp's events into a tree. yaml-cpp's own tree is not used because it merges nodes of
/// one anchor and says nothing of which scalars were quoted.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const Places& places) : places_(places) {}

  ConfigNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(ConfigNode::make(ConfigNode::Kind::nothing, {}, places_.at(mark.line)), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail(places_.at(mark.line), "", "an alias inside its own anchor");
    // What add() counts is left out here.
    count(count_nodes(found->second) - 1, places_.at(mark.line));
    ConfigNode copy = found->second;
    copy.where = places_.at(mark.line);
    add(std::move(copy), 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    add(ConfigNode::make(scalar_kind(mark, tag), value, places_.at(mark.line)), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(ConfigNode::Kind::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(ConfigNode::Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  /// A list or map whose end has not been seen.
  struct Open {
    ConfigNode node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    ConfigNode key = {};
  };

  ConfigNode::Kind scalar_kind(const YAML::Mark& mark, const std::string& tag) const {
    static const std::string standard = "tag:yaml.org,2002:";
    if (tag.empty() || tag == "?") return ConfigNode::Kind::plain;
    if (tag == "!" || tag == standard + "str") return ConfigNode::Kind::text;
    if (tag == standard + "int" || tag == standard + "float" || tag == standard + "bool") {
      return ConfigNode::Kind::plain;
    }
    fail(places_.at(mark.line), "", fmt::format("the tag {} is not supported", tag));
  }

  void open(ConfigNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    if (!tag.empty() && tag != "?" && tag != "!") {
      fail(places_.at(mark.line), "", fmt::format("the tag {} is not supported", tag));
    }
    if (awaits_key()) fail(places_.at(mark.line), "", "a key must be text, not a list or a map");
    open_.push_back({ConfigNode::make(kind, {}, places_.at(mark.line)), anchor});
  }

  void close() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    add(std::move(closed.node), closed.anchor);
  }

  bool awaits_key() const {
    return !open_.empty() && open_.back().node.kind == ConfigNode::Kind::map &&
           !open_.back().has_key;
  }

  /// Counts values before they are made.
  void count(std::size_t values, const std::string& where) {
    node_count_ += values;
    if (node_count_ > kMostNodes) {
      fail(where, "", fmt::format("holds more than {} values", kMostNodes));
    }
  }

  void add(ConfigNode node, YAML::anchor_t anchor) {
    count(1, node.where);
    if (anchor != 0) {
      // The anchor keeps a copy: anchors inside anchors would multiply what lies in the innermost.
      count(count_nodes(node), node.where);
      anchors_[anchor] = node;
    }
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == ConfigNode::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      if (!node.is_scalar()) fail(node.where, "", "a key must be text");
      parent.key = std::move(node);
      parent.has_key = true;
    } else {
      node.where = parent.key.where;
      parent.node.add(std::move(parent.key.text), std::move(node));
      parent.has_key = false;
    }
  }

  const Places& places_;
  ConfigNode root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, ConfigNode> anchors_;
  std::size_t node_count_ = 0;
};

/// Sees a whole document without keeping it.
class SyntaxChecker : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

/// Whether there is a document. Runs before the tree is built, because yaml-cpp hands out the
/// events of broken YAML before it finds it broken, and what they then seem to say misleads.
bool check_syntax(const std::string& yaml, const std::string& origin) {
  std::istringstream stream(yaml);
  YAML::Parser parser(stream);
  SyntaxChecker checker;
  if (!parser.HandleNextDocument(checker)) return false;
  if (parser.HandleNextDocument(checker)) {
    fail(origin, "", "holds more than one YAML document; keep one");
  }
  return true;
}

std::string line_of(const std::string& yaml, int number) {
  std::istringstream stream(yaml);
  std::string line;
  for (int i = 0; i <= number; ++i) std::getline(stream, line);
  return line;
}

/// yaml-cpp names the rule that was broken, not the way out.
std::string remedy(const std::string& message, const std::string& line) {
  const std::string indentation = line.substr(0, line.find_first_not_of(" \t"));
  if (indentation.find('\t') != std::string::npos) return "; indent with spaces, not tabs";
  for (const char* sign : {"anchor", "alias", "unknown token"}) {
    if (message.find(sign) != std::string::npos) {
      return "; text that begins with *, &, %, @ or ` needs quotes";
    }
  }
  if (message.find("map") != std::string::npos && message.find("flow") == std::string::npos) {
    return "; check the indentation here and above, and quote text that holds ': '";
  }
  return {};
}

}  // namespace

void check_text(const std::string& text, const std::string& origin, Lines lines) {
  const Places places(origin, lines);
  std::istringstream stream(text);
  std::string line;
  for (int number = 0; std::getline(stream, line); ++number) {
    for (const char letter : line) {
      const auto byte = static_cast<unsigned char>(letter);
      // yaml-cpp would take 0x04 for the end of the file and ignore the rest.
      if ((byte < 0x20 && letter != '\t' && letter != '\r') || byte == 0x7F) {
        fail(places.at(number), "", fmt::format("holds the control character 0x{:02x}", byte));
      }
    }
    if (!is_utf8(line)) fail(places.at(number), "", "is not UTF-8 text");
  }
}

ConfigNode read_yaml(const std::string& yaml, const std::string& origin, Lines lines) {
  const Places places(origin, lines);
  check_text(yaml, origin, lines);
  // A quote that is never closed escapes yaml-cpp where the file ends with a line break.
  const std::string trimmed = yaml.substr(0, yaml.find_last_not_of(" \t\r\n") + 1);
  try {
    if (!check_syntax(trimmed, origin)) {
      return ConfigNode::make(ConfigNode::Kind::nothing, {}, origin);
    }
    std::istringstream stream(trimmed);
    YAML::Parser parser(stream);
    TreeBuilder builder(places);
    parser.HandleNextDocument(builder);
    return builder.take_root();
  } catch (const YAML::Exception& error) {
    const std::string line = line_of(yaml, error.mark.line);
    fail(places.at(error.mark.line), "", "not YAML: " + error.msg + remedy(error.msg, line));
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    fail(origin, "", fmt::format("not YAML: {}", error.what()));
  }
}

}  // namespace limber
