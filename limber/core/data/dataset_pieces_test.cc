#include <arrow/api.h>
#include <gtest/gtest.h>

#include "limber/core/base/random.h"
#include "limber/core/data/dataset_case_for_test.h"
#include "limber/core/data/same_dataset_for_test.h"
#include "limber/core/data/table_writer.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

class DatasetPiecesTest : public DatasetTest {
 protected:
  /// A Parquet log of row groups of other lengths each, with keys, texts, lists and gaps.
  void write_log(const std::string& name, std::uint64_t seed, const std::vector<int>& groups) {
    const auto schema = arrow::schema(
        {arrow::field("user", arrow::utf8()), arrow::field("item", arrow::int64()),
         arrow::field("rating", arrow::float64()), arrow::field("when", arrow::int64()),
         arrow::field("hour", arrow::float64()), arrow::field("word", arrow::utf8()),
         arrow::field("dwell", arrow::float64())});
    TableWriter writer(folder_.path() / name, schema);
    Random random(seed);
    for (const int rows : groups) {
      arrow::StringBuilder user, word;
      arrow::Int64Builder item, when;
      arrow::DoubleBuilder rating, hour, dwell;
      for (int i = 0; i < rows; ++i) {
        EXPECT_TRUE(user.Append("user " + std::to_string(random.below(12))).ok());
        EXPECT_TRUE(item.Append(static_cast<std::int64_t>(random.below(9))).ok());
        EXPECT_TRUE(rating.Append(static_cast<double>(1 + random.below(5))).ok());
        EXPECT_TRUE(when.Append(static_cast<std::int64_t>(random.below(1000))).ok());
        EXPECT_TRUE((random.below(4) == 0 ? hour.AppendNull()
                                          : hour.Append(static_cast<double>(random.below(24))))
                        .ok());
        std::string words = "w" + std::to_string(random.below(40));
        if (random.below(2) == 0) words += "|w" + std::to_string(random.below(40));
        EXPECT_TRUE((random.below(5) == 0 ? word.AppendNull() : word.Append(words)).ok());
        EXPECT_TRUE((random.below(9) == 0 ? dwell.AppendNull()
                                          : dwell.Append(static_cast<double>(random.below(90))))
                        .ok());
      }
      arrow::ArrayVector columns;
      for (arrow::ArrayBuilder* column : std::initializer_list<arrow::ArrayBuilder*>{
               &user, &item, &rating, &when, &hour, &word, &dwell}) {
        columns.push_back(*column->Finish());
      }
      writer.write(*arrow::RecordBatch::Make(schema, rows, columns));
    }
    writer.finish();
  }

  Dataset build_in_pieces(const Config& config, std::int64_t pieces) {
    const fs::path data = folder_.path() / ("pieces" + std::to_string(builds_++));
    const auto piece = [&](std::int64_t i) { return data / std::to_string(i); };
    for (std::int64_t i = 1; i < pieces; ++i) {
      fs::create_directories(piece(i));
      read_dataset_piece(config, piece(i), {i, pieces});
    }
    fs::create_directories(data);
    return build_dataset_of_pieces(config, data, pieces, piece);
  }
};

TEST_F(DatasetPiecesTest, TogetherAreTheDatasetOfOneReader) {
  write_log("log.parquet", 1, {40, 3, 90, 1, 25, 60});
  write_log("more.parquet", 2, {30});
  write("items.csv", "item,tags,price\n1,a|b,10\n2,b,\n3,,30\n4,c,1000\n");
  const std::vector<std::vector<std::string>> kinds = {
      {},
      {"features.item.vocabulary=hash", "features.item.hash_size=7"},
      {"data.weight=rating", "features.hour.transform=bucketize", "data.split=members"},
      {"data.time="},
      {"data.missing_labels=absent",
       "data.labels={like: \"rating >= 4\", long: \"dwell >= p80 by item\"}"}};
  for (const auto& kind : kinds) {
    std::vector<std::string> settings = kind;
    settings.push_back("data.interactions=[" + (folder_.path() / "log.parquet").string() + "," +
                       (folder_.path() / "more.parquet").string() + "]");
    const Config given = config(
        "  - {name: word, kind: ids, dim: 2}\n  - {name: user, kind: id, dim: 2}\n", settings);
    const Dataset whole = build(given);
    for (const std::int64_t pieces : {1, 2, 3, 5, 20}) {
      SCOPED_TRACE(kind.empty() ? "" : kind.front());
      expect_same(whole, build_in_pieces(given, pieces));
    }
  }
}

TEST_F(DatasetPiecesTest, OfCsvAreWholeFiles) {
  write_example();
  const Config given = config();
  expect_same(build(given), build_in_pieces(given, 3));
}

TEST_F(DatasetPiecesTest, CountBadRowsAndNameThemAsOneReaderDoes) {
  write_log("log.parquet", 1, {40, 30, 50});
  write("items.csv", "item,tags,price\n1,a|b,10\n");
  const std::vector<std::string> files = {"data.interactions=" +
                                          (folder_.path() / "log.parquet").string()};
  // A label that is missing where "absent" is not said.
  const std::string bad = "data.labels={long: \"dwell >= 50\"}";
  std::vector<std::string> settings = files;
  settings.push_back(bad);
  settings.push_back("data.on_bad_row=skip");
  const Config skips = config("", settings);
  const Dataset whole = build(skips);
  EXPECT_GT(whole.bad_rows, 0);
  expect_same(whole, build_in_pieces(skips, 3));

  settings.pop_back();
  const Config stops = config("", settings);
  // The last piece knows the number that its rows have in the file.
  try {
    fs::create_directories(folder_.path() / "last");
    read_dataset_piece(stops, folder_.path() / "last", {2, 3});
    ADD_FAILURE() << "nothing was thrown";
  } catch (const InputError& error) {
    const std::string text = error.what();
    const std::size_t at = text.find("row ");
    ASSERT_NE(at, std::string::npos) << text;
    EXPECT_GT(std::stoi(text.substr(at + 4)), 40) << text;
  }
}

TEST(TableReader, SharesHoldEachRowOnceInOrder) {
  const TemporaryFolder folder;
  const auto schema = arrow::schema({arrow::field("n", arrow::int64())});
  std::int64_t n = 0;
  std::vector<fs::path> files;
  for (const int groups : {3, 1, 7, 2}) {
    files.push_back(folder.path() / (std::to_string(files.size()) + ".parquet"));
    TableWriter writer(files.back(), schema);
    for (int g = 0; g < groups; ++g) {
      arrow::Int64Builder numbers;
      for (int i = 0; i <= 10 * g; ++i) EXPECT_TRUE(numbers.Append(n++).ok());
      const auto column = *numbers.Finish();
      writer.write(*arrow::RecordBatch::Make(schema, column->length(), {column}));
    }
    writer.finish();
  }
  for (const std::int64_t count : {1, 2, 3, 8, 50}) {
    std::vector<std::int64_t> read;
    for (std::int64_t index = 0; index < count; ++index) {
      TableReader reader(files, {"n"}, false, {index, count});
      for (Chunk chunk; reader.next(chunk);) {
        const auto& column = static_cast<const arrow::Int64Array&>(*chunk.batch->column(0));
        for (std::int64_t i = 0; i < column.length(); ++i) read.push_back(column.Value(i));
      }
      EXPECT_EQ(reader.share_done(), 1);
    }
    ASSERT_EQ(std::ssize(read), n) << count;
    for (std::int64_t i = 0; i < n; ++i) EXPECT_EQ(read[static_cast<std::size_t>(i)], i);
  }
}

}  // namespace
}  // namespace limber
