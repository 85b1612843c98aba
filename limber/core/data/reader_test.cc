#include "limber/core/data/reader.h"

#include <arrow/api.h>
#include <arrow/io/api.h>
#include <arrow/util/compression.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include <fstream>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/random.h"

namespace limber {
namespace {
namespace fs = std::filesystem;
using Names = std::vector<std::string>;

template <class T>
T value_of(arrow::Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().ToString());
  return std::move(result).ValueUnsafe();
}

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string gzipped(const std::string& text) {
  auto codec = value_of(arrow::util::Codec::Create(arrow::Compression::GZIP));
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto size = static_cast<std::int64_t>(text.size());
  std::string packed(static_cast<std::size_t>(codec->MaxCompressedLen(size, bytes)), 0);
  packed.resize(static_cast<std::size_t>(
      value_of(codec->Compress(size, bytes, static_cast<std::int64_t>(packed.size()),
                               reinterpret_cast<std::uint8_t*>(packed.data())))));
  return packed;
}

void write_parquet(const fs::path& path, const std::shared_ptr<arrow::Table>& table,
                   parquet::Compression::type codec, std::int64_t group_rows) {
  auto file = value_of(arrow::io::FileOutputStream::Open(path.string()));
  const auto properties =
      parquet::WriterProperties::Builder().compression(codec)->enable_page_checksum()->build();
  const auto status = parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file,
                                                 group_rows, properties);
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

/// id: 0, 1, ...; name: "n" + id; tags: [id, id + 1].
std::shared_ptr<arrow::Table> small_table(std::int64_t rows) {
  arrow::Int64Builder ids;
  arrow::StringBuilder names;
  auto tag = std::make_shared<arrow::Int64Builder>();
  arrow::ListBuilder tags(arrow::default_memory_pool(), tag);
  for (std::int64_t i = 0; i < rows; ++i) {
    EXPECT_TRUE(ids.Append(i).ok() && names.Append("n" + std::to_string(i)).ok() &&
                tags.Append().ok() && tag->Append(i).ok() && tag->Append(i + 1).ok());
  }
  return arrow::Table::Make(
      arrow::schema({arrow::field("id", arrow::int64()),
                     arrow::field("tags", arrow::list(arrow::int64())),
                     arrow::field("name", arrow::utf8())}),
      {value_of(ids.Finish()), value_of(tags.Finish()), value_of(names.Finish())});
}

/// All rows as text, "row: value|value", with the row number that the reader gives them.
Names read_all(TableReader& reader) {
  Names rows;
  double share = 0;
  for (Chunk chunk; reader.next(chunk);) {
    EXPECT_TRUE(chunk.batch->Validate().ok());
    EXPECT_GT(chunk.batch->num_rows(), 0);
    for (std::int64_t i = 0; i < chunk.batch->num_rows(); ++i) {
      std::string row = std::to_string(chunk.row(i)) + ":";
      for (const auto& column : chunk.batch->columns()) {
        row += " " + value_of(column->GetScalar(i))->ToString();
      }
      rows.push_back(row);
    }
    EXPECT_GE(reader.share_done(), share);
    share = reader.share_done();
  }
  EXPECT_DOUBLE_EQ(reader.share_done(), 1);
  return rows;
}

Names read_all(const std::vector<fs::path>& files, const Names& columns, bool skip = false) {
  TableReader reader(files, columns, skip);
  return read_all(reader);
}

std::string failure(const std::vector<fs::path>& files, const Names& columns, bool skip = false) {
  try {
    read_all(files, columns, skip);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

class Reader : public testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& text) {
    write_text(folder_.path() / name, text);
    return folder_.path() / name;
  }
  /// `error` without the folder in front.
  std::string short_of(const std::string& error) const {
    const std::string prefix = folder_.path().string() + "/";
    return error.starts_with(prefix) ? error.substr(prefix.size()) : error;
  }

  TemporaryFolder folder_;
};

TEST_F(Reader, CsvKeepsTextAsItIsAndOnlyEmptyIsNull) {
  const auto file = write("a.csv", "x,y,z\n007,,NA\n\"a,\"\"b\"\"\",\"two\nlines\",null\n");
  EXPECT_EQ(read_all({file}, {"z", "x", "y"}),
            (Names{"1: NA 007 null", "2: null a,\"b\" two\nlines"}));
  TableReader reader({file}, {}, false);
  EXPECT_EQ(reader.columns(), (Names{"x", "y", "z"}));
  Chunk chunk;
  ASSERT_TRUE(reader.next(chunk));
  EXPECT_TRUE(chunk.batch->column(1)->IsNull(0));
  EXPECT_FALSE(chunk.batch->column(2)->IsNull(1));
}

TEST_F(Reader, ReadsTheSameFromEveryFormat) {
  std::string text = "\xEF\xBB\xBFid,name\r\n";
  for (int i = 0; i < 1000; ++i) text += fmt::format("{},n{}\r\n", i, i);
  const auto plain = write("a.csv", text);
  const auto packed = write("a.csv.gz", gzipped(text));
  const auto members =
      write("b.csv.gz", gzipped(text.substr(0, 5000)) + gzipped(text.substr(5000)));
  const auto parquet = folder_.path() / "a.parquet.brotli";
  write_parquet(parquet, small_table(1000), parquet::Compression::BROTLI, 300);
  const Names expected = read_all({plain}, {"name", "id"});
  ASSERT_EQ(expected.size(), 1000U);
  EXPECT_EQ(expected.front(), "1: n0 0");
  EXPECT_EQ(expected.back(), "1000: n999 999");
  EXPECT_EQ(read_all({packed}, {"name", "id"}), expected);
  EXPECT_EQ(read_all({members}, {"name", "id"}), expected);
  EXPECT_EQ(read_all({parquet}, {"name", "id"}), expected);
  Names twice = expected;
  twice.insert(twice.end(), expected.begin(), expected.end());
  EXPECT_EQ(read_all({packed, parquet}, {"name", "id"}), twice);
  EXPECT_EQ(column_names({plain}), (Names{"id", "name"}));
  EXPECT_EQ(column_names({packed}), (Names{"id", "name"}));
  EXPECT_EQ(column_names({parquet}), (Names{"id", "tags", "name"}));
}

TEST_F(Reader, ParquetReadsOnlyWhatIsAskedForInThatOrder) {
  const auto file = folder_.path() / "a.parquet";
  write_parquet(file, small_table(3), parquet::Compression::ZSTD, 2);
  const Names rows = read_all({file}, {"name", "tags", "name"});
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_TRUE(rows[2].starts_with("3: n2 ")) << rows[2];
  EXPECT_TRUE(rows[2].ends_with(" n2")) << rows[2];
}

TEST_F(Reader, OneRowGroupComesInBatches) {
  const auto file = folder_.path() / "a.parquet";
  write_parquet(file, small_table(150000), parquet::Compression::SNAPPY, 150000);
  TableReader reader({file}, {"id"}, false);
  std::int64_t rows = 0;
  for (Chunk chunk; reader.next(chunk); rows += chunk.batch->num_rows()) {
    EXPECT_LE(chunk.batch->num_rows(), 65536);
    EXPECT_EQ(chunk.first_row, rows + 1);
    EXPECT_EQ(static_cast<const arrow::Int64Array&>(*chunk.batch->column(0)).Value(0), rows);
  }
  EXPECT_EQ(rows, 150000);
}

TEST_F(Reader, NamesTheRowWithAWrongColumnCount) {
  std::string text = "a,b,c\n";
  for (int row = 1; row < 17; ++row) text += row == 5 ? "\n1,2,3\n" : "1,2,3\n";
  const auto file = write("logs.csv", text + "1,2,3,4,5\n1,2,3\n");
  EXPECT_EQ(short_of(failure({file}, {"a"})), "logs.csv: row 17: 5 columns, expected 3");
}

TEST_F(Reader, SkippedRowsAreCountedAndTheOthersKeepTheirNumbers) {
  // Several blocks of 4 MiB, with bad rows at the start, at the end and in runs.
  std::string text = "a,b\n";
  const std::string filler(100, 'x');
  std::vector<std::int64_t> bad;
  Random random(3);
  constexpr std::int64_t kRows = 120000;
  for (std::int64_t row = 1; row <= kRows; ++row) {
    if (row <= 2 || row == kRows || random.below(50) == 0 || (row > 500 && row < 520)) {
      bad.push_back(row);
      text += row % 2 == 0 ? "only one\n" : "\xFF\xFE,b\n";
    } else {
      text += std::to_string(row) + "," + filler + "\n";
    }
  }
  const auto file = write("a.csv", text);
  TableReader reader({file}, {"a", "b"}, true);
  std::int64_t good = 0;
  int chunks = 0;
  for (Chunk chunk; reader.next(chunk); ++chunks) {
    const auto& numbers = static_cast<const arrow::StringArray&>(*chunk.batch->column(0));
    for (std::int64_t i = 0; i < chunk.batch->num_rows(); ++i, ++good) {
      ASSERT_EQ(std::to_string(chunk.row(i)), numbers.GetString(i));
    }
  }
  EXPECT_GT(chunks, 2);
  EXPECT_EQ(reader.bad_rows(), static_cast<std::int64_t>(bad.size()));
  EXPECT_EQ(good, kRows - static_cast<std::int64_t>(bad.size()));
}

TEST_F(Reader, TextThatIsNotUtf8NamesRowAndColumn) {
  const auto csv = write("a.csv", "a,b\nx,y\nx,caf\xE9\n");
  EXPECT_EQ(short_of(failure({csv}, {"a", "b"})),
            "a.csv: row 2: column 'b': the text is not UTF-8");
  // Valid when the two values are looked at as one text, and only then.
  const auto cut = write("b.csv", "a\n\xC3\n\xA9\n");
  EXPECT_EQ(short_of(failure({cut}, {"a"})), "b.csv: row 1: column 'a': the text is not UTF-8");
  EXPECT_EQ(read_all({csv}, {"a", "b"}, true), Names{"1: x y"});
  EXPECT_EQ(read_all({csv}, {"a"}).size(), 2U);

  arrow::StringBuilder builder;
  ASSERT_TRUE(builder.AppendValues({"fine", "gut", "\xC0\x80"}).ok());
  const auto table = arrow::Table::Make(arrow::schema({arrow::field("t", arrow::utf8())}),
                                        {value_of(builder.Finish())});
  const auto file = folder_.path() / "a.parquet";
  write_parquet(file, table, parquet::Compression::ZSTD, 2);
  EXPECT_EQ(short_of(failure({file}, {"t"})),
            "a.parquet: row 3: column 't': the text is not UTF-8");
  EXPECT_EQ(read_all({file}, {"t"}, true), (Names{"1: fine", "2: gut"}));
}

TEST_F(Reader, MissingAndRepeatedColumnsAreNamed) {
  const auto one = write("1.csv", "member_id,rating\n1,5\n");
  const auto two = write("2.csv", "member_id,Ratings\n1,5\n");
  EXPECT_EQ(short_of(failure({one, two}, {"member_id", "rating"})),
            "2.csv: has no column 'rating'; did you mean Ratings?");
  EXPECT_EQ(short_of(failure({one, two}, {})),
            "2.csv: has no column 'rating'; did you mean Ratings?");
  EXPECT_EQ(short_of(failure({one}, {"price"})),
            "1.csv: has no column 'price'; its columns are member_id, rating");
  const auto repeated = write("3.csv", "a,b,a\n1,2,3\n");
  EXPECT_EQ(short_of(failure({repeated}, {"a"})),
            "3.csv: 2 columns are named 'a'; rename all but one");
  EXPECT_EQ(read_all({repeated}, {"b"}), Names{"1: 2"});
  EXPECT_EQ(short_of(failure({write("4.csv", "a,\xFF\n1,2\n")}, {"a"})),
            "4.csv: the name of column 2 is not UTF-8");
  const auto parquet = folder_.path() / "a.parquet";
  write_parquet(parquet, small_table(2), parquet::Compression::ZSTD, 2);
  EXPECT_EQ(short_of(failure({parquet}, {"nam"})),
            "a.parquet: has no column 'nam'; did you mean name?");
}

TEST_F(Reader, FilesWithoutRows) {
  EXPECT_EQ(read_all({write("a.csv", "a,b")}, {"b"}), Names{});
  EXPECT_EQ(read_all({write("b.csv", "a,b\n")}, {"b"}), Names{});
  EXPECT_EQ(read_all({write("c.csv.gz", gzipped("a,b\n"))}, {}), Names{});
  const auto parquet = folder_.path() / "a.parquet";
  write_parquet(parquet, small_table(0), parquet::Compression::ZSTD, 2);
  EXPECT_EQ(read_all({parquet}, {"id"}), Names{});
  const auto only_bad = write("d.csv", "a,b\n1\n2\n");
  TableReader reader({only_bad}, {"a"}, true);
  EXPECT_EQ(read_all(reader), Names{});
  EXPECT_EQ(reader.bad_rows(), 2);
  for (const char* nothing : {"", "\n\n"}) {
    EXPECT_EQ(short_of(failure({write("e.csv", nothing)}, {"a"})),
              "e.csv: is empty; the first line must name the columns");
  }
}

TEST_F(Reader, WhatIsNoFileIsSaidSo) {
  EXPECT_EQ(failure({folder_.path()}, {"a"}),
            folder_.path().string() + ": is a folder, expected a file");
  EXPECT_EQ(short_of(failure({folder_.path() / "none.csv"}, {"a"})),
            "none.csv: cannot be read: No such file or directory");
  EXPECT_THROW(column_names({folder_.path()}), InputError);
  EXPECT_THROW(column_names({write("a.parquet", "")}), InputError);
  EXPECT_THROW(column_names({write("b.parquet", "a,b\n1,2\n")}), InputError);
  EXPECT_THROW(column_names({write("c.csv.gz", "a,b\n1,2\n")}), InputError);
}

TEST_F(Reader, AQuoteThatIsNeverClosedIsAnError) {
  const auto small = write("a.csv", "a,b\n1,2\n\"3,4\n5,6\n");
  EXPECT_EQ(short_of(failure({small}, {"a"})), "a.csv: row 2: 1 column, expected 2");
  std::string text = "a,b\n1,\"2\n";
  while (text.size() < (9U << 20)) text += "3,4\n";
  const std::string error = failure({write("b.csv", text)}, {"a"});
  EXPECT_NE(error.find("b.csv: cannot be read: a row is longer than 4 MiB"), std::string::npos)
      << error;
}

TEST_F(Reader, CutOffAndDamagedFilesAreErrorsNotCrashes) {
  std::string text = "id,name\n";
  Random random(1);
  for (int i = 0; i < 20000; ++i) text += fmt::format("{},n{}\n", i, random.next());
  const std::string packed = gzipped(text);
  for (const std::size_t size : {std::size_t{5}, packed.size() / 2, packed.size() - 1}) {
    const std::string error = failure({write("cut.csv.gz", packed.substr(0, size))}, {"id"});
    EXPECT_TRUE(short_of(error).starts_with("cut.csv.gz: ")) << size << ": " << error;
  }
  const auto parquet = folder_.path() / "whole.parquet";
  write_parquet(parquet, small_table(2000), parquet::Compression::ZSTD, 500);
  const std::string whole = read_file(parquet);
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    const std::string error = failure({write("cut.parquet", whole.substr(0, size))}, {"id"});
    EXPECT_TRUE(short_of(error).starts_with("cut.parquet: cannot be read: ")) << error;
  }
  const Names expected = read_all({parquet}, {"name"});
  int refused = 0;
  for (int trial = 0; trial < 300; ++trial) {
    std::string damaged = whole;
    damaged[random.below(damaged.size())] ^= static_cast<char>(1U << random.below(8));
    const fs::path file = write("damaged.parquet", damaged);
    try {
      read_all({file}, {"name"});
    } catch (const InputError& error) {
      ++refused;
      EXPECT_TRUE(short_of(error.what()).starts_with("damaged.parquet: ")) << error.what();
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  }
  EXPECT_GT(refused, 50);
}

}  // namespace
}  // namespace limber
