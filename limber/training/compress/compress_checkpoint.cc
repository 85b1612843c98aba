#include "limber/training/compress/compress_checkpoint.h"

#include <ATen/CPUGeneratorImpl.h>
#include <spdlog/spdlog.h>

#include <span>
#include <sstream>

#include "limber/core/artifact/checksum.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kMagic = "limber compression 2\n";
constexpr std::size_t kChecksumDigits = 16;
constexpr const char* kRandom = "random";

}  // namespace

void add_copies(TensorMap& to, const std::string& prefix, const NamedTensorList& tensors) {
  for (const auto& [name, tensor] : tensors) {
    to[prefix + name] = tensor.detach().to(torch::kCPU, /*non_blocking=*/false, /*copy=*/true);
  }
}

void restore_copies(const TensorMap& from, const std::string& prefix,
                    const NamedTensorList& tensors) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : tensors) {
    const auto found = from.find(prefix + name);
    if (found == from.end() || found->second.sizes() != tensor.sizes()) {
      throw Error("tensor {}{} is missing or has another shape", prefix, name);
    }
    tensor.detach().copy_(found->second);
  }
}

void save_compress_checkpoint(const fs::path& path, const std::string& fingerprint,
                              const CompressCheckpoint& checkpoint) {
  nlohmann::json json = checkpoint.state;
  json["fingerprint"] = fingerprint;
  torch::serialize::OutputArchive archive;
  archive.write("state", c10::IValue(json.dump()));
  archive.write(kRandom, at::detail::getDefaultCPUGenerator().get_state());
  // Archives take dots in names for submodules only when they nest; a flat list of numbers is safe
  // whatever weights are called.
  std::string names;
  std::int64_t number = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    names += name + "\n";
    archive.write("tensor" + std::to_string(number++), tensor);
  }
  archive.write("names", c10::IValue(names));
  std::ostringstream stream;
  archive.save_to(stream);
  const std::string payload = std::move(stream).str();
  write_file_atomic(path,
                    std::string(kMagic) + checksum_of(std::as_bytes(std::span(payload))) + payload);
}

std::optional<CompressCheckpoint> load_compress_checkpoint(const fs::path& path,
                                                           const std::string& fingerprint) {
  if (!fs::exists(path)) return std::nullopt;
  const std::string bytes = read_file(path);
  CompressCheckpoint checkpoint;
  try {
    const std::size_t head = kMagic.size() + kChecksumDigits;
    if (!bytes.starts_with(kMagic) || bytes.size() < head) throw Error("not a checkpoint");
    const std::string payload = bytes.substr(head);
    // A flipped bit would be trained on without a word.
    if (bytes.substr(kMagic.size(), kChecksumDigits) !=
        checksum_of(std::as_bytes(std::span(payload)))) {
      throw Error("another checksum");
    }
    std::istringstream stream(payload);
    torch::serialize::InputArchive archive;
    archive.load_from(stream);
    c10::IValue text;
    archive.read("state", text);
    checkpoint.state = nlohmann::json::parse(text.toStringRef());
    if (checkpoint.state.at("fingerprint") != fingerprint) {
      const fs::path aside = path.string() + ".other";
      fs::rename(path, aside);
      spdlog::warn("{}: belongs to other options, other data or another model; kept as {}",
                   path.string(), aside.filename().string());
      return std::nullopt;
    }
    archive.read("names", text);
    std::istringstream names(text.toStringRef());
    std::int64_t number = 0;
    for (std::string name; std::getline(names, name);) {
      archive.read("tensor" + std::to_string(number++), checkpoint.tensors[name]);
    }
    torch::Tensor random;
    archive.read(kRandom, random);
    at::Generator generator = at::detail::getDefaultCPUGenerator();
    generator.set_state(random);
  } catch (const std::exception&) {
    throw InputError("{}: is damaged; pass --restart to begin anew", path.string());
  }
  return checkpoint;
}

}  // namespace limber
