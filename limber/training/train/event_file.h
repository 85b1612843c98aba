#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace limber {

/// Writes scalars as TensorBoard reads them: a new file events.out.tfevents.TIME.HOST.PID-NUMBER in
/// `folder`.
///
/// The format is TFRecord frames (length, its CRC, bytes, their CRC) around protocol buffers of the
/// type tensorflow.Event. We need six fields of it and encode them by hand: libprotobuf and the
/// .proto files would be a dependency and a code generator for sixty lines.
/// https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto
class EventFile {
 public:
  /// `first_step` > 0 says that this run resumes and that its first points have that step:
  /// TensorBoard then drops what earlier files of the folder hold from it on. Throws Error.
  explicit EventFile(const std::filesystem::path& folder, std::int64_t first_step = 0);

  /// Points of one curve, named like "train/loss", must come in ascending steps. Throws Error, e.g.
  /// when the disk is full.
  void add_scalar(std::string_view tag, double value, std::int64_t step);
  /// Hands what was added to the kernel, so that a running TensorBoard sees it. Throws Error.
  void flush();

  const std::filesystem::path& path() const { return path_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  void write_record(std::string_view bytes);

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;
};

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), as in RFC 3720, appendix B.4.
std::uint32_t crc32c(std::string_view bytes);
/// A CRC as TFRecord stores it: rotated right by 15 bits plus a constant, because CRCs of data that
/// holds its own CRC are weak.
std::uint32_t masked_crc32c(std::string_view bytes);

}  // namespace limber
