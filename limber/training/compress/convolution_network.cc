#include "limber/training/compress/convolution_network.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "limber/core/base/error.h"
#include "limber/core/base/random.h"

namespace limber {
namespace {

using torch::Tensor;

/// Images that are judged at once: enough to keep a core busy, few enough for the cache.
constexpr std::int64_t judged_at_once = 256;

std::vector<Tensor> tensors_of(const ConvolutionLayers& layers) {
  std::vector<Tensor> tensors;
  for (const auto& [name, tensor] : layers.parameters()) tensors.push_back(tensor);
  return tensors;
}

TrainOptions adam() {
  TrainOptions options;
  options.optimizer = "adam";
  options.weight_decay = 0;
  return options;
}

/// The images of a pass, in its order.
Tensor order_of(std::int64_t images, std::uint64_t seed, std::int64_t epoch) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(images));
  std::iota(order.begin(), order.end(), 0);
  Random random(mix64(mix64(seed) ^ static_cast<std::uint64_t>(epoch)));
  random.shuffle(std::span(order));
  return torch::tensor(order);
}

template <class Use>
void for_each_block(const ConvolutionLayers& layers, const ImagePart& part, Use use) {
  const torch::NoGradGuard no_grad;
  for (std::int64_t begin = 0; begin < part.size(); begin += judged_at_once) {
    const std::int64_t end = std::min(begin + judged_at_once, part.size());
    use(layers.forward(part.pixels.slice(0, begin, end)), part.classes.slice(0, begin, end));
  }
}

}  // namespace

ConvolutionNetwork::ConvolutionNetwork(ConvolutionLayers& layers, const ImageData& data,
                                       const NetworkTrainOptions& options)
    : layers_(layers),
      data_(data),
      options_(options),
      parameters_(tensors_of(layers)),
      optimizer_(parameters_, adam()),
      optimizer_steps_(torch::zeros({1}, torch::kLong)) {}

std::int64_t ConvolutionNetwork::steps_per_epoch() const {
  return (data_.train.size() + options_.batch - 1) / options_.batch;
}

void ConvolutionNetwork::forget_optimizer() {
  for (Tensor& moment : optimizer_.moments()) moment.zero_();
  optimizer_steps_.zero_();
}

double ConvolutionNetwork::train_epoch(const std::string& phase, std::int64_t epoch,
                                       double learning_rate, const Hooks& hooks) {
  if (epoch == 0) forget_optimizer();
  optimizer_.set_steps(optimizer_steps_.item<std::int64_t>());
  const std::int64_t images = data_.train.size();
  const Tensor order = order_of(images, options_.seed, epoch);
  double sum = 0;
  std::int64_t seen = 0;
  for (std::int64_t step = 0; step < steps_per_epoch() && hooks.keep_going(); ++step) {
    const std::int64_t begin = step * options_.batch;
    const Tensor chosen = order.slice(0, begin, std::min(begin + options_.batch, images));
    const Tensor loss =
        torch::cross_entropy_loss(layers_.forward(data_.train.pixels.index_select(0, chosen)),
                                  data_.train.classes.index_select(0, chosen));
    const double value = loss.item<double>();
    if (!std::isfinite(value)) {
      throw InputError("{}: the loss is {} in epoch {}: lower the learning rate ({})", phase, value,
                       epoch + 1, learning_rate);
    }
    for (Tensor& parameter : parameters_) parameter.mutable_grad() = Tensor();
    loss.backward();
    hooks.before_step(step);
    optimizer_.step(learning_rate);
    hooks.after_step(step);
    sum += value * static_cast<double>(chosen.size(0));
    seen += chosen.size(0);
  }
  optimizer_steps_.fill_(optimizer_.steps());
  return seen > 0 ? sum / static_cast<double>(seen) : 0;
}

CompressibleNetwork::Quality ConvolutionNetwork::quality(const ConvolutionLayers& layers,
                                                         const ImagePart& part) {
  double loss = 0;
  std::int64_t correct = 0;
  for_each_block(layers, part, [&](const Tensor& logits, const Tensor& classes) {
    loss += torch::cross_entropy_loss(logits.to(torch::kDouble), classes, {}, at::Reduction::Sum)
                .item<double>();
    correct += logits.argmax(1).eq(classes).sum().item<std::int64_t>();
  });
  const auto images = static_cast<double>(part.size());
  return {loss / images, static_cast<double>(correct) / images};
}

std::vector<std::pair<std::string, Tensor>> ConvolutionNetwork::state() {
  auto state = layers_.parameters();
  for (auto& [name, tensor] : state) tensor = tensor.detach();
  for (std::size_t i = 0; i < optimizer_.moments().size(); ++i) {
    state.emplace_back("moment." + std::to_string(i), optimizer_.moments()[i]);
  }
  state.emplace_back("optimizer_steps", optimizer_steps_);
  return state;
}

Tensor correct_images(const ConvolutionLayers& layers, const ImagePart& part) {
  std::vector<Tensor> blocks;
  for_each_block(layers, part, [&](const Tensor& logits, const Tensor& classes) {
    blocks.push_back(logits.argmax(1).eq(classes));
  });
  return torch::cat(blocks);
}

}  // namespace limber
