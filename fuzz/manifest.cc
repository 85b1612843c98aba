/// manifest.json, and the config inside it.
#include "limber/core/artifact/manifest.h"

#include "fuzz/seal.h"
#include "fuzz/target.h"
#include "limber/core/config/config.h"

namespace limber::fuzz {
namespace {

void check(const std::string& text) {
  Manifest manifest;
  if (!accepts([&] { manifest = manifest_from_text(text, "manifest.json"); })) return;
  for (const FileEntry& file : manifest.files) {
    expect(is_inner_path(file.path), "files lie inside the folder", file.path);
  }
  const std::string written = manifest_to_text(manifest);
  const Manifest again = manifest_from_text(written, "written");
  expect(manifest_to_text(again) == written, "a manifest comes back as it was written", written);

  accepts([&] {
    const Config config = config_from_json(manifest.fields.config, "manifest.json: config");
    const nlohmann::json json = config_to_json(config);
    expect(config_to_json(config_from_json(json, "again")) == json, "a config comes back",
           json.dump());
  });
}

}  // namespace
}  // namespace limber::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = limber::fuzz::text_of(data, size);
  limber::fuzz::check(text);
  limber::fuzz::check(limber::fuzz::sealed(text));
  return 0;
}
