# XXH3 checksums of the artifact's files (Debian: libxxhash-dev).
target_link_libraries(limber_core_artifact PUBLIC xxhash)
