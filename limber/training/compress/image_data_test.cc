#include "limber/training/compress/image_data.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <set>

#include "limber/core/base/files.h"
#include "limber/core/config/test_support.h"

namespace limber {
namespace {

/// Rows of two lines of three pixels, of which the first is the row's number.
std::string table(int rows, const std::string& head = "a1,label,a2,a3,a4,a5,a6") {
  std::string text = head + "\n";
  for (int row = 1; row <= rows; ++row) {
    text += std::to_string(row) + "," + std::to_string(row % 3) + ",20,30,40,50,60\n";
  }
  return text;
}

struct Folder {
  TemporaryFolder folder;
  ImageOptions options;

  explicit Folder(const std::string& text) {
    options.file = (folder.path() / "images.csv").string();
    options.width = 3;
    options.height = 2;
    options.scale = 10;
    write(text);
  }
  void write(const std::string& text) const {
    std::ofstream(options.file, std::ios::binary) << text;
  }
  std::string refusal(const std::string& text) const {
    write(text);
    return input_error([&] { read_images(options, 3); });
  }
};

std::vector<int> rows_of(const ImagePart& part) {
  std::vector<int> rows;
  for (std::int64_t i = 0; i < part.size(); ++i) {
    rows.push_back(static_cast<int>(std::lround(part.pixels[i][0][0][0].item<double>() * 10)));
  }
  return rows;
}

TEST(ReadImages, PutsPixelsLineByLineAndScalesThem) {
  const Folder folder(table(100));
  const ImageData data = read_images(folder.options, 3);
  for (const ImagePart* part : {&data.train, &data.validation, &data.test}) {
    const std::vector<int> rows = rows_of(*part);
    for (std::int64_t i = 0; i < part->size(); ++i) {
      EXPECT_EQ(part->classes[i].item<int>(), rows[static_cast<std::size_t>(i)] % 3);
      const torch::Tensor image = part->pixels[i];
      ASSERT_EQ(image.sizes(), (std::vector<std::int64_t>{1, 2, 3}));
      EXPECT_EQ(image[0][0][1].item<float>(), 2);
      EXPECT_EQ(image[0][1][0].item<float>(), 4);
      EXPECT_EQ(image[0][1][2].item<float>(), 6);
    }
  }
}

TEST(ReadImages, DividesEveryRowOnceAndAlikeByTheSeed) {
  Folder folder(table(100));
  const ImageData data = read_images(folder.options, 3);
  EXPECT_EQ(data.test.size(), 20);
  EXPECT_EQ(data.validation.size(), 10);
  EXPECT_EQ(data.train.size(), 70);
  std::set<int> rows;
  for (const ImagePart* part : {&data.train, &data.validation, &data.test}) {
    for (const int row : rows_of(*part)) EXPECT_TRUE(rows.insert(row).second) << row;
  }
  EXPECT_EQ(rows.size(), 100U);
  EXPECT_EQ(*rows.begin(), 1);

  EXPECT_EQ(rows_of(read_images(folder.options, 3).test), rows_of(data.test));
  folder.options.validation_share = 0.3;
  const ImageData more = read_images(folder.options, 3);
  EXPECT_EQ(rows_of(more.test), rows_of(data.test));
  EXPECT_NE(more.fingerprint, data.fingerprint);
  folder.options.split_seed = 2;
  EXPECT_NE(rows_of(read_images(folder.options, 3).test), rows_of(data.test));
}

TEST(ReadImages, ChoosesColumnsByTheirPrefix) {
  Folder folder(table(20, "pixel1,label,pixel2,pixel3,pixel4,pixel5,weight"));
  folder.options.pixels = "pixel";
  folder.options.width = 5;
  folder.options.height = 1;
  EXPECT_EQ(read_images(folder.options, 3).test.pixels.size(3), 5);
}

TEST(ReadImages, RefusesWithFileRowAndColumn) {
  const Folder folder(table(20));
  const std::string good = table(20);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {replaced(good, "7,1,20", "7,3,20"), "images.csv: row 7, column label: 3 is no class from 0"},
      {replaced(good, "7,1,20", "7,0.5,20"), "row 7, column label: 0.5 is no class"},
      {replaced(good, "7,1,20", "7,-1,20"), "row 7, column label: -1 is no class"},
      {replaced(good, "7,1,20", "7,1,dark"), "row 7, column a2: 'dark' is not a number"},
      {replaced(good, "7,1,20", "7,1,"), "row 7, column a2: is empty"},
      {replaced(good, "7,1,20", "7,1"), "row 7"},
      {replaced(good, "label", "lable"), "no column 'label' (images.label); did you mean lable?"},
      {table(2), "2 images are too few"},
      {good.substr(0, good.find('\n') + 1), "0 images are too few"},
  };
  for (const auto& [text, message] : cases) {
    const std::string refused = folder.refusal(text);
    EXPECT_NE(refused.find(message), std::string::npos) << message << ": " << refused;
  }
  Folder wide(good);
  wide.options.width = 4;
  EXPECT_NE(wide.refusal(good).find("6 columns of pixels, where images.channels x height x width "
                                    "is 1 x 2 x 4 = 8"),
            std::string::npos)
      << wide.refusal(good);
}

}  // namespace
}  // namespace limber
