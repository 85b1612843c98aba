#include "limber/companions/screen/framed_file.h"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "limber/core/artifact/checksum.h"
#include "limber/core/artifact/strict_json.h"
#include "limber/core/base/error.h"

namespace limber::screen {
namespace {

constexpr std::size_t kMagicSize = 64;
constexpr std::size_t kDigits = 16;

std::filesystem::path temporary_name(const std::filesystem::path& path) {
  return path.string() + ".tmp." + std::to_string(::getpid());
}

}  // namespace

FramedWriter::FramedWriter(std::filesystem::path path, std::string_view kind, int version)
    : path_(std::move(path)), temporary_(temporary_name(path_)), file_(temporary_) {
  std::string magic = fmt::format("{} {}\n", kind, version);
  magic.resize(kMagicSize, '\0');
  file_.write(magic);
}

void FramedWriter::bytes(std::span<const std::byte> bytes) {
  sections_.push_back({file_.size(), bytes.size()});
  file_.write(bytes);
  const std::string padding((8 - file_.size() % 8) % 8, '\0');
  file_.write(padding);
}

void FramedWriter::finish(nlohmann::json header) {
  header["sections"] = sections_;
  const std::string text = header.dump();
  file_.write(text);
  file_.write(fmt::format("{:016x}", text.size()));
  file_.write(file_.checksum());
  file_.finish();
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary_.c_str());
    throw Error("{}: cannot be replaced: {}", path_.string(), std::strerror(reason));
  }
  sync_folder(path_.has_parent_path() ? path_.parent_path() : std::filesystem::path("."));
}

FramedReader::FramedReader(std::filesystem::path path, std::string_view kind, int newest_version)
    : path_(std::move(path)) {
  std::error_code code;
  if (std::filesystem::is_directory(path_, code)) {
    throw InputError("{}: is a folder, expected a file", path_.string());
  }
  file_ = MappedFile::open(path_);
  const std::string_view all(reinterpret_cast<const char*>(file_.data()), file_.size());
  const std::string begin = fmt::format("{} ", kind);
  if (!all.starts_with(begin)) {
    throw InputError("{}: is no {} file", path_.string(), kind);
  }
  int version = 0;
  const char* const digits = all.data() + begin.size();
  const auto [end, failed] =
      std::from_chars(digits, all.data() + std::min(all.size(), kMagicSize), version);
  if (failed != std::errc() || end == all.data() + all.size() || *end != '\n') {
    damaged("its first line is spoilt");
  }
  if (version > newest_version) {
    throw InputError(
        "{}: has format {}, newer than {}, the newest that this limber reads; use a "
        "newer limber",
        path_.string(), version, newest_version);
  }
  if (version < 1) damaged("its first line is spoilt");
  if (all.size() < kMagicSize + 2 * kDigits) damaged("it is cut short");
  const std::string_view sum = all.substr(all.size() - kDigits);
  if (checksum_of(std::as_bytes(std::span(all.data(), all.size() - kDigits))) != sum) {
    damaged("its checksum is wrong, or it is cut short");
  }
  const std::string_view size_text = all.substr(all.size() - 2 * kDigits, kDigits);
  std::uint64_t size = 0;
  const auto [size_end, size_failed] =
      std::from_chars(size_text.data(), size_text.data() + kDigits, size, 16);
  const std::size_t room = all.size() - kMagicSize - 2 * kDigits;
  if (size_failed != std::errc() || size_end != size_text.data() + kDigits || size > room) {
    damaged("its header is spoilt");
  }
  const std::size_t header_begin = all.size() - 2 * kDigits - size;
  header_ = parse_strict_json(all.substr(header_begin, size), path_.string());
  try {
    for (const auto& place : header_.at("sections")) {
      places_.emplace_back(place.at(0).get<std::uint64_t>(), place.at(1).get<std::uint64_t>());
      const auto [offset, length] = places_.back();
      if (offset % 8 != 0 || offset < kMagicSize || offset > header_begin ||
          length > header_begin - offset) {
        damaged("a section lies outside");
      }
    }
  } catch (const nlohmann::json::exception&) {
    damaged("its header is spoilt");
  }
}

std::span<const std::byte> FramedReader::bytes(std::size_t i) const {
  if (i >= places_.size()) damaged("a section is missing");
  return {file_.data() + places_[i].first, static_cast<std::size_t>(places_[i].second)};
}

void FramedReader::damaged(std::string_view what) const {
  throw InputError("{}: is damaged: {}", path_.string(), what);
}

}  // namespace limber::screen
