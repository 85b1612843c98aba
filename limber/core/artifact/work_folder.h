#pragma once

#include <filesystem>

namespace limber {

/// A hidden folder .writing-PID-NUMBER beside the versions of a model, in which one writer works
/// until it renames the whole to its final name. Removed at destruction, and by the next writer
/// when its owner was killed: the owner holds a lock on the folder, which the kernel drops with the
/// process. (Process ids alone would not do: they are reused, and every container has its own.)
class WorkFolder {
 public:
  /// Creates `parent` where it is missing, durably, and removes the folders of dead writers in it.
  /// Throws Error.
  explicit WorkFolder(const std::filesystem::path& parent);
  ~WorkFolder();
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  /// Renames the folder to `name` inside the parent and makes that survive a power cut. Returns
  /// false where the name is taken. Throws Error, with the folder back under its hidden name.
  bool rename_to(const std::filesystem::path& name);

 private:
  std::filesystem::path parent_;
  std::filesystem::path path_;
  int lock_ = -1;
  bool renamed_ = false;
};

}  // namespace limber
