#include "limber/serving/popularity/row_logits.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <mutex>
#include <numeric>
#include <span>
#include <thread>

#include "limber/core/base/error.h"
#include "limber/core/base/main.h"
#include "limber/core/base/progress.h"
#include "limber/serving/runtime/adapter.h"
#include "limber/serving/runtime/dataset_rows.h"
#include "limber/serving/runtime/scorer.h"

namespace limber {
namespace {

/// Rows [first, last) of one data set, by number.
std::span<const std::int64_t> numbers(std::int64_t first, std::int64_t last,
                                      std::vector<std::int64_t>& room) {
  room.resize(static_cast<std::size_t>(last - first));
  std::iota(room.begin(), room.end(), first);
  return room;
}

/// What one thread scores with.
class TaskScorer {
 public:
  TaskScorer(const std::shared_ptr<const RuntimeModel>& model, const Dataset& dataset)
      : model_(*model), adapter_(model), scorer_(model), support_(dataset), candidates_(dataset) {}

  /// Rows [first, end) of a task.
  void score(const TaskRows& task, std::int64_t first, std::span<float> logits) {
    const std::int64_t labels = model_.labels(), most = model_.config.meta.support;
    while (first < task.end) {
      const std::int64_t before = first - task.begin;
      const std::int64_t last =
          model_.uses_support()
              ? std::min(task.end, first + std::max<std::int64_t>(1, before / kRefresh))
              : task.end;
      const RowSet& rows = candidates_.gather(numbers(first, last, scored_));
      SupportRows support;
      support.rows = &support_.gather(numbers(std::max(task.begin, first - most), first, adapted_));
      support.labels = support_.labels();
      support.weights = support_.weights();
      support.member = &rows;
      adapter_.adapt(support, model_.config.meta.adaptation_steps, member_);
      scorer_.score_main(member_, rows,
                         logits.subspan(static_cast<std::size_t>(first * labels),
                                        static_cast<std::size_t>((last - first) * labels)));
      first = last;
    }
  }

 private:
  static constexpr std::int64_t kRefresh = 4;

  const RuntimeModel& model_;
  Adapter adapter_;
  Scorer scorer_;
  DatasetRows support_, candidates_;
  std::vector<std::int64_t> scored_, adapted_;
  MemberVector member_;
};

}  // namespace

std::vector<float> row_logits(const std::shared_ptr<const RuntimeModel>& model,
                              const Dataset& dataset, std::int64_t first_time,
                              std::size_t threads) {
  const auto labels = static_cast<std::size_t>(model->labels());
  std::vector<float> logits(static_cast<std::size_t>(dataset.rows) * labels,
                            std::numeric_limits<float>::quiet_NaN());
  const auto times = dataset.times.as<std::int64_t>();
  Progress progress("scoring", static_cast<std::uint64_t>(dataset.tasks.size()), "members");
  std::atomic<std::size_t> next = 0;
  std::exception_ptr failure;
  std::mutex mutex;
  const auto work = [&] {
    TaskScorer scorer(model, dataset);
    constexpr std::size_t kTogether = 16;
    for (std::size_t begin; (begin = next.fetch_add(kTogether)) < dataset.tasks.size();) {
      if (stop_requested()) throw Error("stopped; nothing was published");
      const std::size_t end = std::min(begin + kTogether, dataset.tasks.size());
      for (std::size_t t = begin; t < end; ++t) {
        const TaskRows& task = dataset.tasks[t];
        std::int64_t first = task.begin;
        if (!times.empty()) {
          while (first < task.end && times[static_cast<std::size_t>(first)] < first_time) ++first;
        }
        scorer.score(task, first, logits);
      }
      const std::lock_guard lock(mutex);
      progress.add(end - begin);
    }
  };
  std::vector<std::thread> pool;
  for (std::size_t t = 0; t < threads; ++t) {
    pool.emplace_back([&] {
      try {
        work();
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = std::current_exception();
        next = dataset.tasks.size();
      }
    });
  }
  for (std::thread& thread : pool) thread.join();
  progress.finish();
  if (failure) std::rethrow_exception(failure);
  return logits;
}

}  // namespace limber
