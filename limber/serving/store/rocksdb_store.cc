#include "limber/serving/store/rocksdb_store.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>

#include "limber/core/base/error.h"
#include "limber/serving/store/group_commit.h"
#include "limber/serving/store/rocksdb_batch.h"
#include "limber/serving/store/rocksdb_folder.h"

namespace limber {

namespace layout = rocksdb_layout;

namespace {

constexpr std::size_t kLargestGroup = 256;

class RocksdbStore final : public MemberStore {
 public:
  RocksdbStore(const std::filesystem::path& folder, StoreOptions options)
      : MemberStore(std::move(options)),
        lifetimes_(options_),
        path_(folder),
        folder_(std::make_unique<RocksdbFolder>(folder, options_)),
        commits_([this](auto group) { write_group(group); }, kLargestGroup) {}

  StoreHealth health() noexcept override {
    // After a failure only a write can tell whether its cause is gone.
    if (!failed_) return {};
    try {
      commit([](RocksdbBatch& batch) { batch.probe(); });
    } catch (const std::exception& error) {
      return {false, error.what()};
    }
    return {};
  }

  StoreCounts counts() override {
    const Opened folder = opened();
    const auto property = [&](layout::Family family, const std::string& name) {
      std::uint64_t value = 0;
      folder->database().GetIntProperty(folder->family(family), name, &value);
      return static_cast<std::int64_t>(value);
    };
    using Properties = rocksdb::DB::Properties;
    StoreCounts counts;
    counts.members = property(layout::kHeads, Properties::kEstimateNumKeys);
    counts.interactions = property(layout::kInteractions, Properties::kEstimateNumKeys);
    for (std::size_t i = 0; i < layout::kFamilies.size(); ++i) {
      const auto family = static_cast<layout::Family>(i);
      counts.bytes += property(family, Properties::kLiveSstFilesSize) +
                      property(family, Properties::kSizeAllMemTables);
    }
    return counts;
  }

 protected:
  std::vector<AppendResult> do_append(std::span<const MemberInteraction> interactions) override {
    std::vector<AppendResult> results;
    commit([&](RocksdbBatch& batch) {
      results.clear();
      for (const auto& [member, interaction] : interactions) {
        results.push_back(batch.append(member, interaction));
      }
    });
    return results;
  }

  std::vector<std::vector<StoredInteraction>> do_recent(std::span<const std::string> members,
                                                        std::int64_t limit) override {
    const std::int64_t now = options_.now_ms();
    const Opened folder = opened();
    rocksdb::ReadOptions within_prefix;
    within_prefix.prefix_same_as_start = true;
    const std::unique_ptr<rocksdb::Iterator> at(
        folder->database().NewIterator(within_prefix, folder->family(layout::kInteractions)));
    std::vector<std::vector<StoredInteraction>> result(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      for (at->Seek(layout::member_prefix(members[i])); at->Valid(); at->Next()) {
        Interaction interaction = layout::decode_interaction(at->value().ToStringView());
        if (is_expired(interaction.time_ms, lifetimes_.interaction_ms, now)) continue;
        result[i].push_back(
            {layout::sequence_of(at->key().ToStringView()), std::move(interaction)});
        if (std::ssize(result[i]) == limit) break;
      }
      folder->check(at->status(), "cannot be read");
      std::ranges::reverse(result[i]);
    }
    return result;
  }

  std::vector<bool> do_put_states(std::span<const NamedState> states) override {
    std::vector<bool> results;
    commit([&](RocksdbBatch& batch) {
      results.clear();
      for (const auto& [member, state] : states) results.push_back(batch.put_state(member, state));
    });
    return results;
  }

  std::vector<std::optional<MemberState>> do_get_states(std::span<const std::string> members,
                                                        std::string_view model,
                                                        std::string_view version) override {
    return get_states(*opened(), {}, members, model, version);
  }

  ScanPage do_scan(std::string_view cursor, std::int64_t limit, std::string_view model,
                   std::string_view version) override {
    const std::int64_t now = options_.now_ms();
    const Opened folder = opened();
    rocksdb::ManagedSnapshot snapshot(&folder->database());
    rocksdb::ReadOptions passing_by;
    passing_by.snapshot = snapshot.snapshot();
    // A walk over all members would push out what requests read.
    passing_by.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> at(
        folder->database().NewIterator(passing_by, folder->family(layout::kHeads)));
    ScanPage page;
    std::vector<ScanEntry> entries;
    std::vector<std::string> members;
    at->Seek(cursor);
    if (at->Valid() && !cursor.empty() && at->key() == rocksdb::Slice(cursor)) at->Next();
    for (std::int64_t looked_at = 0; at->Valid() && looked_at < limit; at->Next(), ++looked_at) {
      page.next_cursor = at->key().ToString();
      const layout::Head head = layout::decode_head(at->value().ToStringView());
      if (is_expired(head.touched_ms, lifetimes_.head_ms, now)) continue;
      members.push_back(page.next_cursor);
      entries.push_back({page.next_cursor, head.newest, {}});
    }
    if (!at->Valid()) page.next_cursor.clear();
    folder->check(at->status(), "cannot be read");

    const auto states = get_states(*folder, passing_by, members, model, version);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (states[i]) entries[i].state_sequence = states[i]->sequence;
      if (entries[i].newest_sequence > entries[i].state_sequence.value_or(0)) {
        page.entries.push_back(std::move(entries[i]));
      }
    }
    return page;
  }

  void do_forget(std::string_view member) override {
    commit([&](RocksdbBatch& batch) { batch.forget(member); });
  }

 private:
  using Change = const std::function<void(RocksdbBatch&)>;

  void commit(Change& change) { commits_.commit(change); }

  /// The database; it is not closed while this lives.
  class Opened {
   public:
    Opened(std::shared_lock<std::shared_mutex> lock, const RocksdbFolder& folder)
        : lock_(std::move(lock)), folder_(folder) {}
    const RocksdbFolder& operator*() const { return folder_; }
    const RocksdbFolder* operator->() const { return &folder_; }

   private:
    std::shared_lock<std::shared_mutex> lock_;
    const RocksdbFolder& folder_;
  };

  Opened opened() {
    for (;;) {
      std::shared_lock lock(folder_mutex_);
      if (folder_) return {std::move(lock), *folder_};
      lock.unlock();
      reopen();
    }
  }

  /// Opens the database anew if writing it has failed, or opening it. Waits for those who read.
  void reopen() {
    const std::scoped_lock lock(folder_mutex_);
    if (folder_ && !failed_) return;
    // While there is no room to open it again, it had better stay open for readers.
    if (folder_) folder_->check_room();
    folder_.reset();
    folder_ = std::make_unique<RocksdbFolder>(path_, options_);
    failed_ = false;
  }

  void write_group(std::span<GroupCommit<Change>::Entry*> group) {
    if (failed_) reopen();
    rocksdb::WriteBatch changes;
    {
      const Opened folder = opened();
      RocksdbBatch batch(*folder, options_);
      for (auto* entry : group) {
        // One member's damaged record is no reason to refuse the others.
        batch.mark();
        try {
          (*entry->request)(batch);
        } catch (...) {
          batch.undo();
          entry->failure = std::current_exception();
        }
      }
      changes = *batch.changes();
    }
    if (changes.Count() > 0) write(changes);
  }

  void write(rocksdb::WriteBatch& changes) {
    rocksdb::WriteOptions durable;
    durable.sync = true;
    rocksdb::Status status;
    {
      const Opened folder = opened();
      status = folder->database().Write(durable, &changes);
      if (status.ok()) return;
    }
    // RocksDB refuses all writes after a failure, be it of this one or of an earlier one behind the
    // scenes whose cause may be gone. The same changes twice are as good as once.
    failed_ = true;
    try {
      reopen();
    } catch (const Error&) {
      opened()->check(status, "cannot be written");
    }
    const Opened folder = opened();
    status = folder->database().Write(durable, &changes);
    failed_ = !status.ok();
    folder->check(status, "cannot be written");
  }

  std::vector<std::optional<MemberState>> get_states(const RocksdbFolder& folder,
                                                     const rocksdb::ReadOptions& read,
                                                     std::span<const std::string> members,
                                                     std::string_view model,
                                                     std::string_view version) {
    const std::int64_t now = options_.now_ms();
    const std::size_t count = members.size();
    if (count == 0) return {};
    std::vector<std::string> keys;
    keys.reserve(count);
    for (const std::string& member : members) {
      keys.push_back(layout::state_key(member, model, version));
    }
    const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
    std::vector<rocksdb::PinnableSlice> values(count);
    std::vector<rocksdb::Status> statuses(count);
    folder.database().MultiGet(read, folder.family(layout::kStates), count, slices.data(),
                               values.data(), statuses.data());
    std::vector<std::optional<MemberState>> result(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (statuses[i].IsNotFound()) continue;
      folder.check(statuses[i], "cannot be read");
      MemberState state = layout::decode_state(values[i].ToStringView());
      if (is_expired(state.time_ms, lifetimes_.state_ms, now)) continue;
      state.model = model;
      state.version = version;
      result[i] = std::move(state);
    }
    return result;
  }

  Lifetimes lifetimes_;
  std::filesystem::path path_;
  std::shared_mutex folder_mutex_;
  std::unique_ptr<RocksdbFolder> folder_;  ///< none after opening it anew has failed
  std::atomic<bool> failed_ = false;
  GroupCommit<Change> commits_;
};

}  // namespace

std::unique_ptr<MemberStore> open_rocksdb_store(const std::filesystem::path& folder,
                                                StoreOptions options) {
  return std::make_unique<RocksdbStore>(folder, std::move(options));
}

}  // namespace limber
