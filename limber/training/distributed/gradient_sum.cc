#include "limber/training/distributed/gradient_sum.h"

#include "limber/core/base/progress.h"

namespace limber {

using torch::Tensor;

GradientSum::GradientSum(std::shared_ptr<ProcessGroup> ranks, std::vector<Tensor> parameters,
                         std::int64_t bucket_bytes)
    : ranks_(std::move(ranks)), parameters_(std::move(parameters)), places_(parameters_.size()) {
  // The backward pass reaches the last parameters first.
  std::int64_t bytes = 0;
  for (std::size_t p = parameters_.size(); p-- > 0;) {
    const auto size = static_cast<std::int64_t>(parameters_[p].nbytes());
    if (buckets_.empty() || bytes + size > bucket_bytes) {
      buckets_.emplace_back();
      bytes = 0;
    }
    bytes += size;
    buckets_.back().parameters.push_back(p);
  }
  for (std::size_t b = 0; b < buckets_.size(); ++b) {
    Bucket& bucket = buckets_[b];
    bucket.missing = bucket.parameters.size();
    std::int64_t end = 0;
    for (const std::size_t p : bucket.parameters) {
      places_[p] = {b, end, 0};
      end += parameters_[p].numel();
    }
    for (const std::size_t p : bucket.parameters) places_[p].flag = end++;
    bucket.values =
        torch::zeros({end}, parameters_[bucket.parameters[0]].options().requires_grad(false));
  }
  for (std::size_t p = 0; p < parameters_.size(); ++p) {
    hooks_.push_back(parameters_[p].register_hook([this, p](const Tensor& gradient) {
      // Autograd may have nothing to say of a parameter; finish() sees to that.
      if (!listening_ || !gradient.defined()) return;
      store(p, gradient);
      start_complete();
    }));
  }
}

GradientSum::~GradientSum() {
  for (std::size_t p = 0; p < parameters_.size(); ++p) parameters_[p].remove_hook(hooks_[p]);
}

Tensor GradientSum::values_of(const Place& place, const Tensor& parameter) {
  return buckets_[place.bucket]
      .values.narrow(0, place.begin, parameter.numel())
      .view(parameter.sizes());
}

void GradientSum::store(std::size_t p, const Tensor& gradient) {
  const torch::NoGradGuard no_grad;
  Place& place = places_[p];
  Bucket& bucket = buckets_[place.bucket];
  values_of(place, parameters_[p]).copy_(gradient);
  bucket.values[place.flag].fill_(1);
  place.stored = true;
  --bucket.missing;
}

void GradientSum::start_complete() {
  for (; started_ < buckets_.size() && buckets_[started_].missing == 0; ++started_) {
    buckets_[started_].pending = ranks_->start_all_reduce(buckets_[started_].values);
  }
}

void GradientSum::finish() {
  const Stopwatch watch;
  const torch::NoGradGuard no_grad;
  listening_ = false;
  for (std::size_t p = 0; p < parameters_.size(); ++p) {
    Place& place = places_[p];
    if (place.stored) continue;
    if (parameters_[p].grad().defined()) {
      store(p, parameters_[p].grad());
      continue;
    }
    values_of(place, parameters_[p]).zero_();
    buckets_[place.bucket].values[place.flag].zero_();
    --buckets_[place.bucket].missing;
  }
  start_complete();
  for (Bucket& bucket : buckets_) bucket.pending.wait();
  for (std::size_t p = 0; p < parameters_.size(); ++p) {
    Place& place = places_[p];
    const bool any = buckets_[place.bucket].values[place.flag].item<double>() > 0;
    parameters_[p].mutable_grad() = any ? values_of(place, parameters_[p]) : Tensor();
    place.stored = false;
  }
  for (Bucket& bucket : buckets_) bucket.missing = bucket.parameters.size();
  started_ = 0;
  seconds_ += watch.seconds();
}

}  // namespace limber
