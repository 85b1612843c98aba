#include "limber/core/config/relative_paths.h"

#include <string_view>

namespace limber {
namespace {

/// Calls `visit` on each value under the key, also where the key stands twice, which the reader is
/// yet to complain about.
template <class Visit>
void each_under(ConfigNode& node, std::string_view key, Visit visit) {
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    if (node.keys[i] == key) visit(node.items[i]);
  }
}

class Resolver {
 public:
  explicit Resolver(const std::filesystem::path& folder) : folder_(folder) {}

  /// A path, or a list of paths; what is neither is left for the reader to refuse.
  void operator()(ConfigNode& node) const {
    if (node.kind == ConfigNode::Kind::list) {
      for (ConfigNode& item : node.items) resolve(item);
    } else {
      resolve(node);
    }
  }

 private:
  void resolve(ConfigNode& node) const {
    if (!node.is_scalar() || node.text.empty()) return;
    // An absolute path replaces the folder.
    node.text = (folder_ / node.text).lexically_normal().string();
  }

  const std::filesystem::path& folder_;
};

}  // namespace

void resolve_paths(ConfigNode& config, const std::filesystem::path& folder) {
  if (folder.empty()) return;
  const Resolver resolve(folder);
  each_under(config, "data", [&](ConfigNode& data) {
    each_under(data, "interactions", resolve);
    each_under(data, "cache", resolve);
    each_under(data, "tables", [&](ConfigNode& tables) {
      for (ConfigNode& table : tables.items) each_under(table, "path", resolve);
    });
  });
}

}  // namespace limber
