#include "limber/companions/screen/feature_source.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/util/compression.h>
#include <gtest/gtest.h>

#include <cmath>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/data/table_writer.h"

namespace limber::screen {
namespace {

/// Three samples of two features as a CSV, with all the ways to miss a value; s2 has no b.
constexpr const char* kColumns =
    "name,label,a,b\n"
    "s1,x,1,-2.5\n"
    "s2,y,2e1, NA \n"
    "s3,x,+3,4\n";
constexpr const char* kRows =
    "feature,s1,s2,s3\n"
    "a,1,20,3\n"
    "b,-2.5,,4\n";
constexpr const char* kLabels = "sample,label\ns3,x\ns1,x\ns2,y\nother,z\n";

class FeatureSources : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& text) {
    write_file_atomic(folder_.path() / name, text);
    return folder_.path() / name;
  }

  SourceOptions columns(const std::filesystem::path& path) {
    SourceOptions options;
    options.files = {path};
    options.sample = "name";
    return options;
  }

  SourceOptions rows(const std::filesystem::path& path) {
    SourceOptions options;
    options.files = {path};
    options.layout = Layout::kRows;
    options.labels = write("labels.csv", kLabels);
    return options;
  }

  /// A table of one text and some number columns; an absent number is null.
  std::filesystem::path write_parquet(
      const std::string& name, std::vector<std::pair<std::string, std::vector<std::string>>> texts,
      std::vector<std::pair<std::string, std::vector<double>>> numbers) {
    arrow::FieldVector fields;
    arrow::ArrayVector arrays;
    for (const auto& [column, values] : texts) {
      arrow::StringBuilder builder;
      EXPECT_TRUE(builder.AppendValues(values).ok());
      fields.push_back(arrow::field(column, arrow::utf8()));
      arrays.push_back(*builder.Finish());
    }
    for (const auto& [column, values] : numbers) {
      arrow::DoubleBuilder builder;
      for (const double value : values) {
        EXPECT_TRUE((value == kNull ? builder.AppendNull() : builder.Append(value)).ok());
      }
      fields.push_back(arrow::field(column, arrow::float64()));
      arrays.push_back(*builder.Finish());
    }
    const auto path = folder_.path() / name;
    TableWriter writer(path, arrow::schema(fields));
    const std::int64_t count = arrays[0]->length();
    writer.write(*arrow::RecordBatch::Make(arrow::schema(fields), count, arrays));
    writer.finish();
    return path;
  }

  static constexpr double kNull = -12345;
  TemporaryFolder folder_;
};

std::string gzipped(const std::string& text) {
  const auto codec = *arrow::util::Codec::Create(arrow::Compression::GZIP);
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto size = static_cast<std::int64_t>(text.size());
  std::string packed(static_cast<std::size_t>(codec->MaxCompressedLen(size, bytes)), '\0');
  packed.resize(static_cast<std::size_t>(
      *codec->Compress(size, bytes, static_cast<std::int64_t>(packed.size()),
                       reinterpret_cast<std::uint8_t*>(packed.data()))));
  return packed;
}

/// Samples, labels and features on one line, to compare whole sources by.
std::string described(const SourceOptions& options) {
  const auto source = open_features(options);
  std::string text;
  for (int pass = 0; pass < 2; ++pass) {
    std::string again;
    for (std::size_t i = 0; i < source->samples().size(); ++i) {
      again +=
          source->samples()[i] + ":" + (source->labels().empty() ? "" : source->labels()[i]) + " ";
    }
    std::int64_t number = 0;
    for (FeatureBlock block; source->next(block);) {
      EXPECT_EQ(block.first, number);
      number += block.features();
      for (std::int64_t j = 0; j < block.features(); ++j) {
        again += std::string(block.names[j]) + "(";
        for (const double value : block.feature(j)) again += fmt::format("{:g},", value);
        again += ")";
      }
    }
    EXPECT_TRUE(pass == 0 || again == text) << "after rewind";
    text = again;
    source->rewind();
  }
  return text;
}

std::string refusal(const SourceOptions& options) {
  try {
    described(options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

/// Both layouts in all formats say the same.
TEST_F(FeatureSources, LayoutsAndFormatsAgree) {
  const std::string whole = "s1:x s2:y s3:x a(1,20,3,)b(-2.5,nan,4,)";
  EXPECT_EQ(described(columns(write("c.csv", kColumns))), whole);
  EXPECT_EQ(described(columns(write("c.csv.gz", gzipped(kColumns)))), whole);
  EXPECT_EQ(described(rows(write("r.csv", kRows))), whole);
  EXPECT_EQ(described(rows(write("r.csv.gz", gzipped(kRows)))), whole);
  EXPECT_EQ(described(columns(write_parquet(
                "c.parquet", {{"name", {"s1", "s2", "s3"}}, {"label", {"x", "y", "x"}}},
                {{"a", {1, 20, 3}}, {"b", {-2.5, kNull, 4}}}))),
            whole);
  EXPECT_EQ(described(rows(
                write_parquet("r.parquet", {{"feature", {"a", "b"}}},
                              {{"s1", {1, -2.5}}, {"s2", {20, std::nan("")}}, {"s3", {3, 4}}}))),
            whole);
  SourceOptions ignoring = columns(write("i.csv", kColumns));
  ignoring.ignore = {"a"};
  EXPECT_EQ(described(ignoring), "s1:x s2:y s3:x b(-2.5,nan,4,)");
}

TEST_F(FeatureSources, FilesOfRowsFollowOneAnother) {
  SourceOptions options = rows(write("r1.csv", kRows));
  options.files.push_back(write("r2.csv.gz", gzipped("feature,s1,s2,s3\nc,7,8,9\n")));
  EXPECT_EQ(described(options), "s1:x s2:y s3:x a(1,20,3,)b(-2.5,nan,4,)c(7,8,9,)");
  options.files.push_back(write("r3.csv", "feature,s1,s3,s2\nd,7,8,9\n"));
  EXPECT_NE(refusal(options).find("r3.csv: its columns are not those of"), std::string::npos);
  SourceOptions two = columns(write("c.csv", kColumns));
  two.files.push_back(two.files[0]);
  EXPECT_NE(refusal(two).find("several files of samples"), std::string::npos);
}

TEST_F(FeatureSources, MissingValuesAreSpeltInManyWays) {
  for (const char* word : {"", " ", "NA", "na", "N/A", "NaN", "nan", "null", "NULL", "\"\""}) {
    const std::string text = std::string("name,label,a,b\ns1,x,1,") + word + "\ns2,y,2,3\n";
    EXPECT_EQ(described(columns(write("m.csv", text))), "s1:x s2:y a(1,2,)b(nan,3,)") << word;
  }
}

/// File, row and column of a cell that cannot be used, in both layouts and formats.
TEST_F(FeatureSources, BadCellsAreNamed) {
  const auto expect = [](const std::string& error, std::initializer_list<const char*> parts) {
    for (const char* part : parts) {
      EXPECT_NE(error.find(part), std::string::npos) << "'" << part << "' in " << error;
    }
  };
  const std::vector<std::pair<const char*, const char*>> cells{
      {"cheap", "not a number"}, {"1,5", "expected"},    {"inf", "infinite"},
      {"-Infinity", "infinite"}, {"1e101", "1e100"},     {"1e999", "out of range"},
      {"1_000", "not a number"}, {"--1", "not a number"}};
  for (const auto& [cell, why] : cells) {
    const std::string in_columns = std::string("name,label,a,b\ns1,x,1,2\ns2,y,") + cell + ",3\n";
    expect(refusal(columns(write("bad.csv", in_columns))), {"bad.csv: row 2: ", why});
    const std::string in_rows = std::string("feature,s1,s2\na,1,2\nb,") + cell + ",3\n";
    expect(refusal(rows(write("bad.csv", in_rows))), {"bad.csv: row 2: ", why});
    if (std::string_view(cell).find(',') != std::string_view::npos) continue;
    expect(refusal(columns(write("bad.csv.gz", gzipped(in_columns)))),
           {"bad.csv.gz: row 2: column a: ", why});
    expect(refusal(rows(write("bad.csv.gz", gzipped(in_rows)))),
           {"bad.csv.gz: row 2: column s1: ", why});
  }
  for (const double value : {HUGE_VAL, -HUGE_VAL, 1e101}) {
    expect(refusal(
               columns(write_parquet("bad.parquet", {{"name", {"s1", "s2"}}, {"label", {"x", "y"}}},
                                     {{"a", {1, 2}}, {"b", {3, value}}}))),
           {"bad.parquet: row 2: column b: "});
    expect(refusal(rows(write_parquet("bad.parquet", {{"feature", {"a", "b"}}},
                                      {{"s1", {1, value}}, {"s2", {3, 2}}}))),
           {"bad.parquet: row 2: column s1: "});
  }
  expect(refusal(columns(write_parquet("bad.parquet", {{"label", {"x", "y"}}, {"a", {"1", "u"}}},
                                       {{"name", {1, 2}}}))),
         {"bad.parquet: ", "column a: "});
}

TEST_F(FeatureSources, BadTablesAreNamed) {
  const auto column_refusal = [&](const std::string& text) {
    return refusal(columns(write("t.csv", text)));
  };
  EXPECT_NE(column_refusal("").find("t.csv: is empty"), std::string::npos);
  EXPECT_NE(column_refusal("name,label,a\n").find("no samples"), std::string::npos);
  EXPECT_NE(column_refusal("name,label\ns1,x\n").find("no features"), std::string::npos);
  EXPECT_NE(column_refusal("name,label,a\ns1,,1\n").find("row 1: column label"), std::string::npos);
  EXPECT_NE(column_refusal("name,label,a\ns1,x,1\ns1,y,2\n").find("'s1'"), std::string::npos);
  EXPECT_NE(column_refusal("name,label,a\ns1,\"x,1\n").find("quote"), std::string::npos);
  EXPECT_NE(refusal(rows(write("t.csv", "feature,s1,s4\na,1,2\n"))).find("label for sample 's4'"),
            std::string::npos);
  EXPECT_NE(refusal(rows(write("t.csv", "feature,s1,s2\n,1,2\n"))).find("row 1: column feature"),
            std::string::npos);
  EXPECT_NE(refusal(rows(write("t.csv", "feature,s1,s2\n"))).find("no features"),
            std::string::npos);
  EXPECT_NE(refusal(columns(write("t.csv.gz", gzipped(kColumns).substr(0, 30)))).find("t.csv.gz"),
            std::string::npos);
}

/// More features than a block holds keep their order and their samples.
TEST_F(FeatureSources, ManyBlocks) {
  constexpr int kFeatures = 2 * kBlockFeatures + 17;
  std::string header = "label";
  std::string first = "\nx";
  std::string second = "\ny";
  for (int j = 0; j < kFeatures; ++j) {
    header += fmt::format(",f{}", j);
    first += fmt::format(",{}", j);
    second += fmt::format(",{}", -2 * j);
  }
  SourceOptions options;
  options.files = {write("wide.csv", header + first + second + "\n")};
  const auto source = open_features(options);
  EXPECT_EQ(source->samples(), (std::vector<std::string>{"1", "2"}));
  std::int64_t j = 0;
  for (FeatureBlock block; source->next(block);) {
    for (std::int64_t i = 0; i < block.features(); ++i, ++j) {
      ASSERT_EQ(block.names[i], fmt::format("f{}", j));
      ASSERT_EQ(block.feature(i)[0], j);
      ASSERT_EQ(block.feature(i)[1], -2 * j);
    }
  }
  EXPECT_EQ(j, kFeatures);
}

}  // namespace
}  // namespace limber::screen
