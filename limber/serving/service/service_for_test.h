#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "limber/core/base/files.h"
#include "limber/serving/service/ranking_service.h"
#include "limber/serving/service/test_model_for_test.h"
#include "limber/serving/store/member_store.h"

namespace limber {

/// A service on a store in memory and the test model, of which version 1 is published.
struct ServiceForTest {
  explicit ServiceForTest(std::size_t cached_members = 100)
      : store(open_member_store("memory:")), personaliser(*store, cached_members) {
    publish_test_model(folder.path(), 1);
    host.emplace(folder.path() / "films", ServedModel::Options{}, personaliser);
    service.emplace(*host, personaliser);
  }

  void append(const std::string& member, const std::vector<std::string>& bodies) const {
    for (const std::string& body : bodies) store->append(member, {1, "", body});
  }

  TemporaryFolder folder;
  std::unique_ptr<MemberStore> store;
  Personaliser personaliser;
  std::optional<ModelHost> host;
  std::optional<RankingService> service;
};

}  // namespace limber
