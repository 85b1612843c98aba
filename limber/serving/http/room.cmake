# With a sanitizer GCC believes that boost::optional's storage may be read uninitialized, from inside
# Boost's headers, where no SYSTEM keyword reaches.
if(LIMBER_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(limber_${name} PRIVATE -Wno-maybe-uninitialized)
endif()
# A fence in Asio's headers, which the thread sanitizer does not understand; locks order the same.
if(LIMBER_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(limber_${name} PRIVATE -Wno-tsan)
endif()
