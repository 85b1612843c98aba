# Minimal perfect hashes (Debian: libcmph-dev).
target_link_libraries(limber_core_data PUBLIC cmph)
