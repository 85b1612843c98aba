#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "limber/core/base/error.h"

namespace limber {

/// Longest name of a member, and longest event_id, model and version, in bytes.
constexpr std::size_t kLongestName = 1024;
/// Longest body of an interaction, in bytes.
constexpr std::size_t kLongestBody = std::size_t{1} << 20;

/// Something that a member did.
struct Interaction {
  std::int64_t time_ms = 0;  ///< when, in milliseconds since 1970
  std::string event_id;      ///< the sender's name for it; empty: none, so that it is always stored
  std::string body;          ///< opaque bytes, in practice JSON
};

/// An interaction and its number in its member: 1, 2, 3, ... in the order of arrival.
struct StoredInteraction {
  std::int64_t sequence = 0;
  Interaction interaction;
};

struct MemberInteraction {
  std::string member;
  Interaction interaction;
};

enum class AppendOutcome {
  kStored,
  kDuplicate,  ///< its event_id is among the member's kept interactions
  kExpired     ///< it was older than StoreOptions::interaction_ttl on arrival
};

struct AppendResult {
  AppendOutcome outcome = AppendOutcome::kStored;
  /// Its number; of a duplicate the number of the one that is kept; 0 when it came expired.
  std::int64_t sequence = 0;
  bool stored() const { return outcome == AppendOutcome::kStored; }
};

/// The embedding of a member, adapted by one version of a model.
struct MemberState {
  std::vector<float> values;
  std::string model;
  std::string version;
  std::int64_t time_ms = 0;   ///< when it was adapted, in milliseconds since 1970
  std::int64_t sequence = 0;  ///< of the newest interaction it was adapted on; 0: on none of these
};

struct NamedState {
  std::string member;
  MemberState state;
};

struct ScanEntry {
  std::string member;
  std::int64_t newest_sequence = 0;
  /// Of the state stored for the version asked for; empty when there is none.
  std::optional<std::int64_t> state_sequence;
};

struct ScanPage {
  std::vector<ScanEntry> entries;
  std::string next_cursor;  ///< where the next page begins; empty after the last
};

/// Figures for metrics and inspection. Approximate: what was overwritten, forgotten or has expired
/// may be counted until the store tidies up.
struct StoreCounts {
  std::int64_t members = 0;
  std::optional<std::int64_t> interactions;  ///< where the store knows without reading all
  std::int64_t bytes = 0;                    ///< on disk, or in memory where that is where they are
};

struct StoreHealth {
  bool usable = true;
  std::string reason;  ///< why it is not
};

struct StoreOptions {
  std::int64_t most_interactions = 200;        ///< kept of one member; the oldest go first
  std::int64_t most_states = 4;                ///< kept of one member; the oldest go first
  std::chrono::seconds interaction_ttl{0};     ///< by Interaction::time_ms; 0: forever
  std::chrono::seconds state_ttl{0};           ///< by MemberState::time_ms; 0: forever
  std::size_t cache_bytes = 256u << 20;        ///< RocksDB: blocks kept in memory
  std::size_t write_buffer_bytes = 64u << 20;  ///< RocksDB: memory for writes not yet in tables
  std::chrono::milliseconds timeout{500};      ///< Redis: of connecting and of each wait for it
  int most_connections = 16;                   ///< Redis: of this process
  /// Milliseconds since 1970; empty: the system's clock. What expires, expires by this clock.
  std::function<std::int64_t()> now_ms;
};

/// An argument that no store could take.
class BadArgument : public InputError {
 public:
  using InputError::InputError;
};

/// Where a server keeps each member's recent interactions and adapted embeddings.
///
/// Members are byte strings of 1 to kLongestName bytes. Every function may be called from any
/// thread. Arguments that no store could take (a name too long) are BadArgument; a store that
/// cannot be used right now (disk full, Redis gone) is another Error, and usable again when its
/// cause is gone. After an Error of a writing function, it is not known whether its changes were
/// made; appending again is safe where interactions have an event_id.
class MemberStore {
 public:
  virtual ~MemberStore() = default;
  MemberStore(const MemberStore&) = delete;
  MemberStore& operator=(const MemberStore&) = delete;

  /// Throws BadArgument where one of them is such that no store could take it.
  static void check(std::span<const MemberInteraction> interactions);

  /// Stores an interaction as its member's newest. On return it is as durable as the store is
  /// (docs/store.md).
  AppendResult append(std::string_view member, Interaction interaction);
  /// The same for many, in order, in one write or round trip. One result for each.
  std::vector<AppendResult> append_many(std::span<const MemberInteraction> interactions);

  /// The member's latest interactions, at most `limit`, in the order of arrival. None is older than
  /// the ttl.
  std::vector<StoredInteraction> recent(std::string_view member, std::int64_t limit);
  /// The same for many, in one pass or round trip. One list for each.
  std::vector<std::vector<StoredInteraction>> recent_many(std::span<const std::string> members,
                                                          std::int64_t limit);

  /// Stores the embedding in place of the one of the same model and version. False, and nothing
  /// is changed, when it is out of date: the stored one was adapted on newer interactions, or the
  /// member has no interaction of its sequence, because it was forgotten in between.
  bool put_state(std::string_view member, const MemberState& state);
  /// The same for many, in one write or round trip. One answer for each.
  std::vector<bool> put_states(std::span<const NamedState> states);

  /// The member's embedding by this version of this model, and by no other.
  std::optional<MemberState> get_state(std::string_view member, std::string_view model,
                                       std::string_view version);
  std::vector<std::optional<MemberState>> get_states(std::span<const std::string> members,
                                                     std::string_view model,
                                                     std::string_view version);

  /// Looks at the next `limit` members after `cursor` (empty: from the first), in the order of
  /// their bytes, and returns those that have interactions newer than their state of this version.
  /// A page may be empty and not the last. A cursor stays valid across restarts; members that are
  /// there from the first page to the last are looked at exactly once.
  ScanPage scan(std::string_view cursor, std::int64_t limit, std::string_view model,
                std::string_view version);

  /// Removes all about a member. What is appended to it later counts from 1 again.
  void forget(std::string_view member);

  /// Whether the store can be used now. Never throws.
  virtual StoreHealth health() noexcept = 0;
  virtual StoreCounts counts() = 0;

 protected:
  explicit MemberStore(StoreOptions options);

  // What the functions above leave to each store, their arguments checked.
  virtual std::vector<AppendResult> do_append(std::span<const MemberInteraction> interactions) = 0;
  virtual std::vector<std::vector<StoredInteraction>> do_recent(
      std::span<const std::string> members, std::int64_t limit) = 0;
  virtual std::vector<bool> do_put_states(std::span<const NamedState> states) = 0;
  virtual std::vector<std::optional<MemberState>> do_get_states(
      std::span<const std::string> members, std::string_view model, std::string_view version) = 0;
  virtual ScanPage do_scan(std::string_view cursor, std::int64_t limit, std::string_view model,
                           std::string_view version) = 0;
  virtual void do_forget(std::string_view member) = 0;

  StoreOptions options_;
};

/// Opens "rocksdb:FOLDER" (made when it is missing), "redis://[[user]:password@]host[:port][/db]"
/// or "memory:". Throws InputError that names the remedy for an address it cannot make sense of, a
/// folder that another process uses, a damaged store or one of a newer format, and a refused
/// password; Error when Redis cannot be reached.
std::unique_ptr<MemberStore> open_member_store(std::string_view url, StoreOptions options = {});

}  // namespace limber
