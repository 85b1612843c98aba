# Warnings are errors; ccache is used where it is installed; sanitizers come from a preset.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  # Without it GCC's preprocessed text does not say which precompiled header it includes, and ccache
  # compiles every file that uses one anew.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  endif()
endif()

add_library(limber_flags INTERFACE)
target_compile_options(limber_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wno-psabi)
# GCC 12 reports overlapping copies inside std::string where there are none (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(limber_flags INTERFACE -Wno-restrict)
endif()
if(LIMBER_WERROR)
  target_compile_options(limber_flags INTERFACE -Werror)
endif()
if(LIMBER_SANITIZE)
  target_compile_options(limber_flags INTERFACE -fsanitize=${LIMBER_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(limber_flags INTERFACE -fsanitize=${LIMBER_SANITIZE})
endif()
if(LIMBER_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "limber: LIMBER_FUZZ needs clang, which brings libFuzzer. Run cmake --preset fuzz.")
  endif()
  # What the sanitizer of undefined behaviour finds must end the run, not fill the log.
  target_compile_options(limber_flags INTERFACE -fno-sanitize-recover=all)
endif()
