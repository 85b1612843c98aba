# Every dependency is looked for here and nowhere else. A missing one ends the configuration with
# one line that names the remedy.
macro(limber_need package hint)
  find_package(${package} QUIET ${ARGN})
  if(NOT ${package}_FOUND)
    message(FATAL_ERROR "limber: ${package} was not found. ${hint}")
  endif()
endmacro()

set(run_setup "Run scripts/setup, which installs it.")
limber_need(Threads "${run_setup}")
limber_need(fmt "${run_setup} (Debian: libfmt-dev)")
limber_need(spdlog "${run_setup} (Debian: libspdlog-dev)")
limber_need(nlohmann_json "${run_setup} (Debian: nlohmann-json3-dev)")
limber_need(yaml-cpp "${run_setup} (Debian: libyaml-cpp-dev)")
# The fuzz targets need no more than this.
if(LIMBER_FUZZ)
  limber_need(simdjson "${run_setup} (Debian: libsimdjson-dev)")
  return()
endif()
limber_need(CLI11 "${run_setup} (Debian: libcli11-dev)")
if(LIMBER_TESTS)
  limber_need(GTest "${run_setup} (Debian: libgtest-dev)")
endif()

# Headers only.
limber_need(Eigen3 "${run_setup} (Debian: libeigen3-dev)" NO_MODULE)

# LEMON's package names its folder and library, but no target. Its headers are system headers, so
# that our warnings stay ours; naming /usr/include itself so would hide the compiler's own.
limber_need(LEMON "${run_setup} (Debian: liblemon-dev)" NAMES LEMON lemon)
add_library(limber_lemon INTERFACE)
if(NOT LEMON_INCLUDE_DIR STREQUAL "/usr/include")
  target_include_directories(limber_lemon SYSTEM INTERFACE ${LEMON_INCLUDE_DIR})
endif()
target_link_libraries(limber_lemon INTERFACE ${LEMON_LIBRARY})

# cmph has no CMake package; core/data links it by name.
find_library(CMPH_LIBRARY cmph)
if(NOT CMPH_LIBRARY)
  message(FATAL_ERROR "limber: cmph was not found. ${run_setup} (Debian: libcmph-dev)")
endif()

# igraph draws the networks of bench/assign.cc, and nothing else needs it. Its shared library is named outright: Debian's CMake
# package asks for the development files of everything that igraph itself is linked with.
find_path(IGRAPH_INCLUDE_DIR igraph.h PATH_SUFFIXES igraph)
find_library(IGRAPH_LIBRARY igraph)
if(NOT IGRAPH_INCLUDE_DIR OR NOT IGRAPH_LIBRARY)
  message(STATUS "limber: igraph was not found: bench_assign is left out. ${run_setup} (Debian: libigraph-dev)")
else()
  add_library(limber_igraph INTERFACE)
  target_include_directories(limber_igraph SYSTEM INTERFACE ${IGRAPH_INCLUDE_DIR})
  target_link_libraries(limber_igraph INTERFACE ${IGRAPH_LIBRARY})
endif()

# Python packages carry LibTorch and Arrow; LIMBER_PYTHON is the virtual environment's interpreter.
set(LIMBER_PYTHON "" CACHE FILEPATH "Python interpreter with torch and pyarrow installed")
if(NOT LIMBER_PYTHON AND EXISTS ${PROJECT_SOURCE_DIR}/build/venv/bin/python)
  set(LIMBER_PYTHON ${PROJECT_SOURCE_DIR}/build/venv/bin/python CACHE FILEPATH "" FORCE)
endif()

function(limber_ask_python variable code)
  if(LIMBER_PYTHON)
    execute_process(COMMAND ${LIMBER_PYTHON} -c "${code}"
      OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed ERROR_QUIET)
    if(NOT failed)
      set(${variable} ${answer} PARENT_SCOPE)
    endif()
  endif()
endfunction()

# Arrow: an installed Arrow (Arrow_DIR) where the user names one, else the pyarrow wheel.
include(arrow)
limber_find_arrow(limber_arrow "${LIMBER_PYTHON}")
if(limber_arrow_problem)
  message(FATAL_ERROR "limber: ${limber_arrow_problem} ${run_setup} (or set Arrow_DIR)")
endif()

# LibTorch: Torch_DIR where the user names one, else the torch wheel. Without either the training
# half is left out, with a word.
option(LIMBER_TRAINING "Build the training half (needs LibTorch)" ON)
if(LIMBER_TRAINING)
  if(NOT Torch_DIR AND NOT DEFINED ENV{Torch_DIR})
    limber_ask_python(torch_prefix "import torch; print(torch.utils.cmake_prefix_path)")
    if(torch_prefix)
      list(APPEND CMAKE_PREFIX_PATH ${torch_prefix})
    endif()
  endif()
  find_package(Torch QUIET HINTS $ENV{Torch_DIR})
  if(NOT Torch_FOUND)
    message(FATAL_ERROR "limber: LibTorch was not found. ${run_setup} (or set Torch_DIR, or -DLIMBER_TRAINING=OFF)")
  endif()
  # The wheel's own flags (-D_GLIBCXX_USE_CXX11_ABI among them) and its headers as system headers,
  # so that our warnings stay ours.
  add_library(limber_torch INTERFACE)
  target_link_libraries(limber_torch INTERFACE ${TORCH_LIBRARIES})
  target_include_directories(limber_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
  # The wheel also ships the headers of its own {fmt}, another version than the one that our spdlog is
  # built with. A folder that holds only the right ones comes first.
  get_target_property(fmt_include fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/fmt_first)
  file(CREATE_LINK ${fmt_include}/fmt ${PROJECT_BINARY_DIR}/fmt_first/fmt SYMBOLIC)
  target_compile_options(limber_torch INTERFACE -I${PROJECT_BINARY_DIR}/fmt_first)
  separate_arguments(torch_flags UNIX_COMMAND "${TORCH_CXX_FLAGS}")
  target_compile_options(limber_torch INTERFACE ${torch_flags})
  # A fence in LibTorch's headers, which the thread sanitizer does not understand.
  if(LIMBER_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(limber_torch INTERFACE -Wno-tsan)
  endif()
  # at::parallel_for is a template: where it is compiled without OpenMP its loops run on one thread,
  # without a word. LibTorch is built with GCC's runtime library; a second one would divide loops
  # within loops, so another compiler must be told to use that one too.
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT DEFINED OpenMP_CXX_FLAGS)
    set(OpenMP_CXX_FLAGS "-fopenmp=libgomp")
    set(OpenMP_CXX_LIB_NAMES "gomp")
    find_library(OpenMP_gomp_LIBRARY NAMES gomp libgomp.so.1)
  endif()
  limber_need(OpenMP "Use GCC, or install its OpenMP library (Debian: libgomp1)." COMPONENTS CXX)
  target_compile_options(limber_torch INTERFACE ${OpenMP_CXX_FLAGS})
  target_link_libraries(limber_torch INTERFACE OpenMP::OpenMP_CXX)
  # One translation unit pays for parsing <torch/torch.h>; the others reuse it.
  file(WRITE ${PROJECT_BINARY_DIR}/torch_header/torch_header.cc "#include <torch/torch.h>\n")
  add_library(limber_torch_header OBJECT ${PROJECT_BINARY_DIR}/torch_header/torch_header.cc)
  target_link_libraries(limber_torch_header PRIVATE limber_torch limber_flags)
  target_precompile_headers(limber_torch_header PRIVATE <torch/torch.h>)
endif()

# Gloo is inside LibTorch, its headers are not.
if(LIMBER_TRAINING)
  find_path(GLOO_INCLUDE_DIR gloo/transport/device.h)
  if(NOT GLOO_INCLUDE_DIR)
    message(FATAL_ERROR "limber: Gloo's headers were not found. ${run_setup} (Debian: libgloo-dev)")
  endif()
  add_library(limber_gloo INTERFACE)
  if(NOT GLOO_INCLUDE_DIR STREQUAL "/usr/include")
    target_include_directories(limber_gloo SYSTEM INTERFACE ${GLOO_INCLUDE_DIR})
  endif()
endif()

# NCCL sums over graphics cards; a LibTorch for CUDA has it inside, its header comes from elsewhere.
option(LIMBER_NCCL "Train on graphics cards with several processes (needs a LibTorch for CUDA, and NCCL's header)" OFF)
if(LIMBER_TRAINING AND LIMBER_NCCL)
  if(NOT TARGET torch_cuda)
    message(FATAL_ERROR "limber: LIMBER_NCCL needs a LibTorch for CUDA; set Torch_DIR to one, or -DLIMBER_NCCL=OFF")
  endif()
  limber_ask_python(nccl_prefix "import nvidia.nccl; print(nvidia.nccl.__path__[0])")
  find_path(NCCL_INCLUDE_DIR nccl.h HINTS "${nccl_prefix}/include")
  if(NOT NCCL_INCLUDE_DIR)
    message(FATAL_ERROR "limber: NCCL's header nccl.h was not found; set NCCL_INCLUDE_DIR, or -DLIMBER_NCCL=OFF")
  endif()
  find_package(CUDAToolkit REQUIRED)
  set_source_files_properties(${PROJECT_SOURCE_DIR}/limber/training/distributed/nccl_backend.cc
    DIRECTORY ${PROJECT_SOURCE_DIR} PROPERTIES COMPILE_DEFINITIONS USE_C10D_NCCL SKIP_PRECOMPILE_HEADERS ON
    INCLUDE_DIRECTORIES "${NCCL_INCLUDE_DIR};${CUDAToolkit_INCLUDE_DIRS}")
endif()

function(limber_use_torch target)
  target_link_libraries(${target} PUBLIC limber_torch)
  target_precompile_headers(${target} REUSE_FROM limber_torch_header)
endfunction()

# The serving half: small enough to do without; a machine that only trains may switch it off.
option(LIMBER_SERVING "Build the serving half (Highway, RocksDB, Redis, Kafka, Boost, gRPC)" ON)
if(LIMBER_SERVING)
  limber_need(hwy "${run_setup} (Debian: libhwy-dev)")
  limber_need(RocksDB "${run_setup} (Debian: librocksdb-dev)")
  limber_need(simdjson "${run_setup} (Debian: libsimdjson-dev)")
  limber_need(prometheus-cpp "${run_setup} (Debian: prometheus-cpp-dev)")
  limber_need(OpenSSL "${run_setup} (Debian: libssl-dev)")
  limber_need(Boost "${run_setup} (Debian: libboost-dev)" CONFIG COMPONENTS headers)
  limber_need(Protobuf "${run_setup} (Debian: libprotobuf-dev protobuf-compiler)")
  # The torch wheel's package makes an empty protobuf::libprotobuf, so the library is named outright.
  add_library(limber_protobuf INTERFACE)
  target_link_libraries(limber_protobuf INTERFACE ${Protobuf_LIBRARY_RELEASE})
  limber_need(gRPC "${run_setup} (Debian: libgrpc++-dev protobuf-compiler-grpc)" CONFIG)
  # hiredis' own CMake package names the static library; its shared one is taken.
  find_path(HIREDIS_INCLUDE_DIR hiredis/hiredis.h)
  find_library(HIREDIS_LIBRARY hiredis)
  if(NOT HIREDIS_INCLUDE_DIR OR NOT HIREDIS_LIBRARY)
    message(FATAL_ERROR "limber: hiredis was not found. ${run_setup} (Debian: libhiredis-dev)")
  endif()
  add_library(limber_hiredis INTERFACE)
  if(NOT HIREDIS_INCLUDE_DIR STREQUAL "/usr/include")
    target_include_directories(limber_hiredis SYSTEM INTERFACE ${HIREDIS_INCLUDE_DIR})
  endif()
  target_link_libraries(limber_hiredis INTERFACE ${HIREDIS_LIBRARY})
  # Debian's librdkafka has no CMake package.
  find_path(RDKAFKA_INCLUDE_DIR librdkafka/rdkafka.h)
  find_library(RDKAFKA_LIBRARY rdkafka)
  if(NOT RDKAFKA_INCLUDE_DIR OR NOT RDKAFKA_LIBRARY)
    message(FATAL_ERROR "limber: librdkafka was not found. ${run_setup} (Debian: librdkafka-dev)")
  endif()
  add_library(limber_rdkafka INTERFACE)
  if(NOT RDKAFKA_INCLUDE_DIR STREQUAL "/usr/include")
    target_include_directories(limber_rdkafka SYSTEM INTERFACE ${RDKAFKA_INCLUDE_DIR})
  endif()
  target_link_libraries(limber_rdkafka INTERFACE ${RDKAFKA_LIBRARY})
endif()
