#include "limber/core/config/yaml_writer.h"

#include <yaml-cpp/emitter.h>

#include <algorithm>

#include "limber/core/base/error.h"

namespace limber {
namespace {

bool needs_escapes(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](char letter) { return static_cast<unsigned char>(letter) < 0x20; });
}

void emit_text(YAML::Emitter& out, const std::string& text) {
  if (needs_escapes(text)) out << YAML::DoubleQuoted;
  out << text;
}

void emit(YAML::Emitter& out, const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::nothing:
      out << YAML::Null;
      break;
    case ConfigNode::Kind::plain:
      out << node.text;
      break;
    case ConfigNode::Kind::text:
      emit_text(out, node.text);
      break;
    case ConfigNode::Kind::list: {
      const bool of_scalars = std::all_of(node.items.begin(), node.items.end(),
                                          [](const ConfigNode& item) { return item.is_scalar(); });
      if (of_scalars) out << YAML::Flow;
      out << YAML::BeginSeq;
      for (const ConfigNode& item : node.items) emit(out, item);
      out << YAML::EndSeq;
      break;
    }
    case ConfigNode::Kind::map:
      if (node.items.empty()) out << YAML::Flow;
      out << YAML::BeginMap;
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        out << YAML::Key;
        emit_text(out, node.keys[i]);
        out << YAML::Value;
        emit(out, node.items[i]);
      }
      out << YAML::EndMap;
      break;
  }
}

std::string finished(const YAML::Emitter& out) {
  if (!out.good()) throw Error("the config cannot be written as YAML: {}", out.GetLastError());
  return out.c_str();
}

}  // namespace

std::string write_yaml(const ConfigNode& node) {
  YAML::Emitter out;
  emit(out, node);
  return finished(out) + "\n";
}

std::string write_flow_yaml(const ConfigNode& node) {
  YAML::Emitter out;
  out.SetMapFormat(YAML::Flow);
  out.SetSeqFormat(YAML::Flow);
  emit(out, node);
  return finished(out);
}

}  // namespace limber
