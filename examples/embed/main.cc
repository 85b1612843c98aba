// Ranks films for a member inside this process: no server, no store, no LibTorch.
#include <limber/serving/ranker/ranker.h>
#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    std::fprintf(stderr, "usage: embed MODEL [FOLDER_OF_ITS_SIDE_TABLES_PATHS]\n");
    return 2;
  }
  try {
    const auto ranker = limber::Ranker::open(argv[1], {.base = argc == 3 ? argv[2] : ""});

    // Member 7 has just given three films their stars; the last one came last.
    const limber::AdaptedMember member = ranker.adapt(7, {{{"movie_id", 1}, {"rating", 5}},
                                                          {{"movie_id", 2}, {"rating", 2}},
                                                          {{"movie_id", 4}, {"rating", 4}}});
    // Candidates are rows of the log without what only the future knows.
    const std::vector<limber::Fields> candidates = {
        {{"movie_id", 3}}, {{"movie_id", 4}}, {{"movie_id", 5}}, {{"movie_id", "brand new"}}};

    std::printf("%s version %s, adapted to %lld interactions\n", ranker.name().c_str(),
                ranker.version().c_str(), static_cast<long long>(member.interactions));
    for (const limber::RankedCandidate& candidate : ranker.rank(member, candidates)) {
      std::printf("candidate %zu  P(%s) = %.4f\n", candidate.index, ranker.labels()[0].c_str(),
                  candidate.score);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
