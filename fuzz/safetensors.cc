/// Tensor files: every byte that a file is said to hold must be there, once, and what was read must
/// be written and read again as the same.
#include "limber/core/artifact/safetensors.h"

#include <algorithm>

#include "fuzz/memory_file.h"
#include "fuzz/target.h"

namespace limber::fuzz {
namespace {

constexpr std::size_t kLengthSize = 8;

std::string with_length(std::string header) {
  while ((kLengthSize + header.size()) % 8 != 0) header += ' ';
  const std::uint64_t length = header.size();
  std::string head(kLengthSize, '\0');
  std::memcpy(head.data(), &length, kLengthSize);
  return head + header;
}

/// The bytes as a header and data, with a length that fits: made-up bytes seldom bring one.
std::string framed(const std::string& bytes) {
  const std::size_t begin = std::min(bytes.find('{'), bytes.size());
  const std::size_t last = bytes.rfind('}');
  const std::size_t end = last == std::string::npos || last < begin ? begin : last + 1;
  return with_length(bytes.substr(begin, end - begin)) + bytes.substr(end);
}

void check_tensors(const SafetensorsFile& file, std::size_t file_size) {
  std::size_t total = 0;
  unsigned touched = 0;
  const std::byte* next = nullptr;
  for (const Tensor& tensor : file.tensors()) {
    const auto count = count_elements(tensor.shape);
    expect(count && static_cast<std::size_t>(*count) * size_of(tensor.type) == tensor.bytes.size(),
           "a tensor is as large as its shape says", tensor.name);
    expect(reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % size_of(tensor.type) == 0,
           "a tensor is aligned", tensor.name);
    expect(next == nullptr || tensor.bytes.data() == next, "tensors lie one behind the other");
    next = tensor.bytes.data() + tensor.bytes.size();
    total += tensor.bytes.size();
    for (const std::byte byte : tensor.bytes) touched += std::to_integer<unsigned>(byte);
    expect(!tensor.name.empty() && &file.tensor(tensor.name) == &tensor, "a tensor has its name");
  }
  expect(total <= file_size && touched <= 255 * total, "tensors lie inside the file");
}

void check_writing(const SafetensorsFile& file) {
  static const MemoryFile copy;
  std::string bytes = safetensors_header(file.tensors(), file.metadata());
  std::vector<const Tensor*> order;
  for (const Tensor& tensor : file.tensors()) order.push_back(&tensor);
  // As the header's comment says: wide elements first, by name within a width.
  std::ranges::sort(order, [](const Tensor* left, const Tensor* right) {
    return std::pair(size_of(right->type), left->name) <
           std::pair(size_of(left->type), right->name);
  });
  for (const Tensor* tensor : order) {
    bytes.append(reinterpret_cast<const char*>(tensor->bytes.data()), tensor->bytes.size());
  }
  copy.fill(bytes);
  const SafetensorsFile again = SafetensorsFile::open(copy.path());
  expect(again.metadata() == file.metadata(), "metadata comes back");
  expect(again.tensors().size() == file.tensors().size(), "as many tensors come back");
  for (const Tensor& tensor : file.tensors()) {
    const Tensor& other = again.tensor(tensor.name);
    expect(other.type == tensor.type && other.shape == tensor.shape &&
               std::ranges::equal(other.bytes, tensor.bytes),
           "a tensor comes back", tensor.name);
  }
}

void check(const std::string& bytes) {
  static const MemoryFile memory;
  memory.fill(bytes);
  std::optional<SafetensorsFile> file;
  if (!accepts([&] { file = SafetensorsFile::open(memory.path()); })) return;
  check_tensors(*file, bytes.size());
  check_writing(*file);
}

}  // namespace
}  // namespace limber::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes = limber::fuzz::text_of(data, size);
  limber::fuzz::check(bytes);
  limber::fuzz::check(limber::fuzz::framed(bytes));
  return 0;
}
