# LEMON copies graph nodes before it has filled them in, which GCC reports in some configurations
# (the sanitizers') from inside its headers, where no SYSTEM keyword reaches.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set_source_files_properties(${folder}/matching.cc PROPERTIES COMPILE_OPTIONS -Wno-maybe-uninitialized)
endif()
