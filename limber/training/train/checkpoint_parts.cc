#include "limber/training/train/checkpoint_parts.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cstring>
#include <functional>
#include <new>
#include <vector>

#include "limber/core/artifact/output_file.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

std::int64_t rank_of(const RankingModel& model) {
  const ProcessGroup* ranks = model->tables.ranks();
  return ranks == nullptr ? 0 : ranks->rank();
}

/// Every file beside the checkpoint whose name is one of a part.
std::vector<fs::path> all_parts(const fs::path& checkpoint) {
  const std::string head = checkpoint.filename().string() + ".";
  std::vector<fs::path> found;
  std::error_code error;
  fs::directory_iterator entry(checkpoint.parent_path(), error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (entry->path().filename().string().starts_with(head)) found.push_back(entry->path());
  }
  return found;
}

using Tensors = std::map<std::string, torch::Tensor>;

/// In one pass over the bytes: a part may be half as large as the memory.
void write_tensors(const fs::path& path, const Tensors& tensors) {
  const fs::path unfinished = path.string() + ".unfinished";
  std::error_code ignored;
  fs::remove(unfinished, ignored);
  torch::serialize::OutputArchive archive;
  for (const auto& [name, tensor] : tensors) archive.write(name, tensor);
  OutputFile file(unfinished);
  archive.save_to([&](const void* bytes, std::size_t size) {
    file.write(std::span(static_cast<const std::byte*>(bytes), size));
    return size;
  });
  file.finish();
  fs::rename(unfinished, path);
  sync_folder(path.parent_path());
}

}  // namespace

fs::path CheckpointParts::path(const fs::path& checkpoint, std::int64_t rank) const {
  return checkpoint.string() + "." + std::to_string(step) + "." + std::to_string(rank + 1) +
         "-of-" + std::to_string(ranks);
}

void save_part(const fs::path& checkpoint, const CheckpointParts& parts, const RankingModel& model,
               const Tensors& best) {
  auto& tables = const_cast<RankingModelImpl&>(*model).tables;
  Tensors tensors;
  for (std::size_t t = 0; t < tables.weights().size(); ++t) {
    const std::string& name = tables.shapes()[t].name;
    tensors["table." + name] = tables.weights()[t].detach();
    tensors["accumulator." + name] = tables.accumulators()[t];
    const auto found = best.find("table." + name);
    if (found != best.end()) tensors["best.table." + name] = found->second;
  }
  tensors["random"] = at::detail::getDefaultCPUGenerator().get_state();
  write_tensors(parts.path(checkpoint, rank_of(model)), tensors);
}

void copy_held_rows(const torch::Tensor& theirs, const TablePlacement& from, std::int64_t from_rank,
                    torch::Tensor& mine, const TablePlacement& to, std::int64_t rank) {
  const torch::Tensor source = theirs.to(mine.scalar_type()).contiguous();
  if (source.size(0) != from.held(from_rank) || source.sizes().slice(1) != mine.sizes().slice(1)) {
    throw Error("rows have another shape");
  }
  if (source.numel() == 0) return;
  const auto width =
      static_cast<std::size_t>(source.nbytes()) / static_cast<std::size_t>(source.size(0));
  const auto* in = static_cast<const std::byte*>(source.const_data_ptr());
  auto* out = static_cast<std::byte*>(mine.mutable_data_ptr());
  std::int64_t row = from.first(from_rank);
  for (std::int64_t place = 0; place < source.size(0); ++place, row += from.stride()) {
    if (to.owner(row) != rank) continue;
    std::memcpy(out + static_cast<std::size_t>(to.place(row)) * width,
                in + static_cast<std::size_t>(place) * width, width);
  }
}

void load_parts(const fs::path& checkpoint, const CheckpointParts& parts, RankingModel& model,
                Tensors& best) {
  EmbeddingTables& tables = model->tables;
  const std::int64_t rank = rank_of(model);
  const auto from = place_tables(tables.shapes(), parts.ranks, parts.whole_below);
  const std::int64_t ranks = tables.ranks() == nullptr ? 1 : tables.ranks()->size();
  const torch::NoGradGuard no_grad;
  for (std::int64_t part = 0; part < parts.ranks; ++part) {
    // As many processes as before each hold what they held.
    if (parts.ranks == ranks && part != rank) continue;
    const fs::path path = parts.path(checkpoint, part);
    if (!fs::exists(path)) {
      throw InputError("{}: is missing, and {} needs it; pass --restart to begin anew",
                       path.string(), checkpoint.string());
    }
    try {
      torch::serialize::InputArchive archive;
      archive.load_from(path.string());
      const auto copy = [&](const std::string& name, std::size_t t, torch::Tensor mine) {
        torch::Tensor theirs;
        archive.read(name, theirs);
        copy_held_rows(theirs, from[t], part, mine, tables.placements()[t], rank);
      };
      for (std::size_t t = 0; t < tables.weights().size(); ++t) {
        const std::string& name = tables.shapes()[t].name;
        copy("table." + name, t, tables.weights()[t]);
        copy("accumulator." + name, t, tables.accumulators()[t]);
        torch::Tensor any;
        if (!archive.try_read("best.table." + name, any)) continue;
        torch::Tensor& kept = best["table." + name];
        if (!kept.defined()) kept = torch::zeros_like(tables.weights()[t].cpu());
        copy("best.table." + name, t, kept);
      }
      if (parts.ranks == ranks) {
        torch::Tensor random;
        archive.read("random", random);
        at::Generator generator = at::detail::getDefaultCPUGenerator();
        generator.set_state(random);
      }
    } catch (const std::exception& error) {
      refuse_checkpoint(path, error);
    }
  }
}

void refuse_checkpoint(const fs::path& path, const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) throw std::bad_alloc();
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  std::string reason = of_torch ? of_torch->what_without_backtrace() : error.what();
  reason = reason.substr(0, reason.find('\n'));
  if (reason.find("allocate memory") != std::string::npos) {
    throw Error("{}: does not fit the memory here: {}", path.string(), reason);
  }
  throw InputError("{}: is damaged ({}); pass --restart to begin anew", path.string(), reason);
}

void remove_checkpoint(const fs::path& checkpoint) {
  std::error_code ignored;
  fs::remove(checkpoint, ignored);
  for (const fs::path& part : all_parts(checkpoint)) fs::remove(part, ignored);
}

void remove_other_parts(const fs::path& checkpoint, const CheckpointParts& keep) {
  std::error_code ignored;
  for (const fs::path& part : all_parts(checkpoint)) {
    bool kept = false;
    for (std::int64_t rank = 0; keep.ranks > 1 && rank < keep.ranks; ++rank) {
      kept = kept || part == keep.path(checkpoint, rank);
    }
    if (!kept) fs::remove(part, ignored);
  }
}

}  // namespace limber
