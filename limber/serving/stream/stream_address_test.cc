#include "limber/serving/stream/stream_address.h"

#include <gtest/gtest.h>

#include "limber/core/base/error.h"

namespace limber {
namespace {

std::string refusal(const std::string& url) {
  try {
    StreamAddress::parse(url);
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(StreamAddress, ReadsRedis) {
  const auto address = StreamAddress::parse(
      "redis://ann:p%40ss@db.example:6380/3?stream=clicks%2Fweb&group=rankers");
  EXPECT_EQ(address.kind, StreamAddress::Kind::kRedis);
  EXPECT_EQ(address.redis.host, "db.example");
  EXPECT_EQ(address.redis.port, 6380);
  EXPECT_EQ(address.redis.database, 3);
  EXPECT_EQ(address.redis.user, "ann");
  EXPECT_EQ(address.redis.password, "p@ss");
  EXPECT_EQ(address.name, "clicks/web");
  EXPECT_EQ(address.group, "rankers");
  EXPECT_EQ(address.without_password(), "redis://db.example:6380/3 stream clicks/web");
  EXPECT_EQ(StreamAddress::parse("redis://localhost?group=g&stream=s").redis.port, 6379);
}

TEST(StreamAddress, ReadsKafka) {
  const auto address = StreamAddress::parse("kafka://one:9092,two,[::1]:9093/site.clicks?group=g");
  EXPECT_EQ(address.kind, StreamAddress::Kind::kKafka);
  EXPECT_EQ(address.brokers, "one:9092,two,[::1]:9093");
  EXPECT_EQ(address.name, "site.clicks");
  EXPECT_EQ(address.group, "g");
  EXPECT_EQ(address.settings, "");
  EXPECT_EQ(StreamAddress::parse("kafka://one/t?settings=a/b.conf&group=g").settings, "a/b.conf");
  EXPECT_EQ(address.without_password(), "kafka://one:9092,two,[::1]:9093 topic site.clicks");
}

TEST(StreamAddress, NamesTheRemedy) {
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"", "expected redis://"},
      {"rabbit://host/topic?group=g", "expected redis://"},
      {"redis://host", "stream is missing; add ?stream=NAME"},
      {"redis://host?stream=s", "group is missing; add &group=NAME"},
      {"redis://host?stream=&group=g", "stream is missing"},
      {"redis://host?stream=s&group=g&gruop=h", "no parameter \"gruop\"; known are: stream, group"},
      {"redis://host?stream=s&stream=t&group=g", "stream is given twice"},
      {"redis://host?stream=%2&group=g", "write it as %25"},
      {"redis://?stream=s&group=g", "the HOST is missing"},
      {"redis://host:port?stream=s&group=g", "the PORT is \"port\""},
      {"redis://host/x?stream=s&group=g", "the DB is \"x\""},
      {"redis://secret@host?stream=s&group=g", "before the @ stands no :PASSWORD"},
      {"redis://host?stream=" + std::string(600, 's') + "&group=g", "at most 512"},
      {"kafka://host", "the TOPIC is missing"},
      {"kafka://host/?group=g", "the TOPIC is missing"},
      {"kafka://host/topic", "group is missing; add ?group=NAME"},
      {"kafka://host/a b?group=g", "the TOPIC is \"a b\""},
      {"kafka://host/" + std::string(250, 't') + "?group=g", "up to 249"},
      {"kafka:///topic?group=g", "a BROKER is empty"},
      {"kafka://one,,two/topic?group=g", "a BROKER is empty"},
      {"kafka://one:0/topic?group=g", "the PORT of one is \"0\""},
      {"kafka://me:secret@one/topic?group=g", "stand in settings=FILE"},
      {"kafka://one/topic?stream=s", "no parameter \"stream\"; known are: group, settings"},
  };
  for (const auto& [url, remedy] : mistakes) {
    const std::string message = refusal(url);
    EXPECT_TRUE(message.starts_with("--stream: ")) << url << ": " << message;
    EXPECT_NE(message.find(remedy), std::string::npos) << url << ": " << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
    EXPECT_EQ(message.find("secret"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace limber
