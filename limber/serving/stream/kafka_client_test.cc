#include "limber/serving/stream/kafka_client.h"

#include <gtest/gtest.h>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/serving/stream/kafka_cluster_for_test.h"
#include "limber/serving/stream/kafka_source.h"

namespace limber {
namespace {

TEST(KafkaClient, PutsADeadLetterAside) {
  KafkaClusterForTest kafka(1);
  const auto source = open_event_source(
      StreamAddress::parse("kafka://" + kafka.brokers() + "/clicks?group=g"), "one");
  source->put_aside({"clicks-0-7", "poison", "", "", 0}, "no JSON");
  EXPECT_EQ(kafka.dead_letter(), (std::vector<std::string>{"poison", "id", "clicks-0-7", "event_id",
                                                           "", "reason", "no JSON"}));
}

TEST(KafkaClient, SendsTheBeginningOfWhatIsTooLarge) {
  KafkaClusterForTest kafka(1);
  KafkaSender sender(kafka.brokers());
  const std::string payload(3 << 20, 'x');
  kafka.fail_next(KafkaClusterForTest::kProduce, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  sender.send("clicks.dead", payload, {{"id", "clicks-0-7"}});
  const auto words = kafka.dead_letter();
  ASSERT_EQ(words.size(), 5U);
  EXPECT_EQ(words[0], payload.substr(0, 256 << 10));
  EXPECT_EQ(words[3], "bytes");
  EXPECT_EQ(words[4], std::to_string(payload.size()));
}

TEST(KafkaClient, TellsWhatDidNotArrive) {
  KafkaClusterForTest kafka(1);
  KafkaSender sender(kafka.brokers());
  kafka.fail_next(KafkaClusterForTest::kProduce, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  try {
    sender.send("clicks.dead", "poison", {});
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("clicks.dead"), std::string::npos) << error.what();
  }
}

TEST(KafkaClient, ReadsSettings) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "kafka.conf").string();
  const auto refusal = [&](const std::string& text) -> std::string {
    write_file_atomic(file, text);
    try {
      kafka_settings({{"group.id", "g"}}, file);
    } catch (const InputError& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  EXPECT_EQ(refusal("# ours\n\n security.protocol = plaintext \r\n"), "nothing was thrown");
  EXPECT_EQ(refusal("\nno.such=1\n"), file + ":2: No such configuration property: \"no.such\"");
  EXPECT_EQ(refusal("ssl\n"), file + ":1: expected NAME=VALUE");
  EXPECT_EQ(refusal("group.id=h"),
            file + ":1: group.id is set by limber serve itself; remove the line");
  EXPECT_EQ(refusal("group.instance.id=one"),
            file + ":1: group.instance.id cannot be used by several servers; remove the line");
  EXPECT_THROW(kafka_settings({{"no.such.setting", "1"}}), InputError);
}

}  // namespace
}  // namespace limber
