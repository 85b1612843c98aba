#include "limber/companions/screen/csv_fields.h"

#include <arrow/util/compression.h>

#include "limber/core/base/error.h"
#include "limber/core/data/table_source.h"

namespace limber::screen {
namespace {
constexpr std::int64_t kChunkBytes = 1 << 20;
constexpr std::size_t kLongestField = 1 << 20;
}  // namespace

CsvFields::CsvFields(std::filesystem::path path) : path_(std::move(path)) {
  auto opened = arrow::io::ReadableFile::Open(path_.string());
  check_read(opened.status(), path_);
  file_ = *opened;
  const auto size = file_->GetSize();
  check_read(size.status(), path_);
  file_size_ = *size;
  stream_ = file_;
  if (path_.filename().string().ends_with(".gz")) {
    auto codec = arrow::util::Codec::Create(arrow::Compression::GZIP);
    check_read(codec.status(), path_);
    gzip_ = std::move(*codec);
    auto unpacked = arrow::io::CompressedInputStream::Make(gzip_.get(), file_);
    check_read(unpacked.status(), path_);
    stream_ = *unpacked;
  }
  buffer_.resize(kChunkBytes);
  if (fill() && size_ >= 3 && std::string_view(data_, 3) == "\xEF\xBB\xBF") position_ = 3;
}

CsvFields::~CsvFields() = default;

bool CsvFields::fill() {
  const auto read = stream_->Read(kChunkBytes, buffer_.data());
  check_read(read.status(), path_);
  data_ = buffer_.data();
  position_ = 0;
  size_ = static_cast<std::size_t>(*read);
  return size_ > 0;
}

void CsvFields::fail(std::string_view what) const {
  throw InputError("{}: row {}: {}", path_.string(), row_, what);
}

double CsvFields::share_done() const {
  const auto position = file_->Tell();
  return position.ok() && file_size_ > 0
             ? static_cast<double>(*position) / static_cast<double>(file_size_)
             : 1.0;
}

bool CsvFields::next_row() {
  std::string_view rest;
  while (in_row_ && next_field(rest)) {
  }
  for (int next = peek(); next == '\n' || next == '\r'; next = peek()) ++position_;
  if (peek() < 0) return false;
  ++row_;
  in_row_ = more_fields_ = true;
  return true;
}

bool CsvFields::next_field(std::string_view& field) {
  if (!more_fields_) {
    in_row_ = false;
    return false;
  }
  field_.clear();
  if (peek() == '"') {
    ++position_;
    for (;;) {
      const int next = peek();
      if (next < 0) fail("a quote is never closed");
      ++position_;
      if (next == '"') {
        if (peek() != '"') break;
        ++position_;
      }
      field_ += static_cast<char>(next);
      if (field_.size() > kLongestField)
        fail("a field is longer than 1 MiB; is a quote not closed?");
    }
    const int after = peek();
    if (after >= 0 && after != ',' && after != '\n' && after != '\r') {
      fail("text after a closing quote");
    }
  } else {
    for (;;) {
      const char* const begin = data_ + position_;
      const char* const end = data_ + size_;
      const char* at = begin;
      while (at != end && *at != ',' && *at != '\n' && *at != '\r') ++at;
      position_ += static_cast<std::size_t>(at - begin);
      if (at != end && field_.empty()) {
        // The usual case: the field lies whole in the buffer and need not be copied.
        field = std::string_view(begin, static_cast<std::size_t>(at - begin));
        if (*at == ',') {
          ++position_;
        } else {
          more_fields_ = false;
        }
        return true;
      }
      field_.append(begin, at);
      if (field_.size() > kLongestField) fail("a field is longer than 1 MiB; is this a CSV file?");
      if (at != end || !fill()) break;
    }
  }
  if (peek() == ',') {
    ++position_;
  } else {
    more_fields_ = false;
  }
  field = field_;
  return true;
}

}  // namespace limber::screen
