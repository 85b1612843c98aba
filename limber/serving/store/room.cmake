# SHA-1 names Redis' scripts.
target_link_libraries(limber_serving_store PRIVATE OpenSSL::Crypto)
