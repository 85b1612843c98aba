# What `cmake --install` puts where, in two components:
#
#   programs   bin/: limber and the programs of the halves that were built
#   library    lib/, include/limber/..., lib/cmake/limber/: what a program needs that ranks by
#              itself, as limber::ranker, limber::runtime and the rooms below them
#
# Only rooms below limber::ranker are installed: the server, the stores and training are programs.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The launcher looks for the others beside itself.
foreach(program limber limber-tools limber-train limber-serve)
  if(TARGET ${program})
    # Where Arrow and LibTorch lie in a Python environment, they are found there again.
    set_target_properties(${program} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)
  endif()
endforeach()

if(NOT LIMBER_SERVING)
  return()
endif()
foreach(path core/base core/config core/data core/artifact serving/runtime serving/rows serving/ranker)
  string(REPLACE "/" "_" target limber_${path})
  get_filename_component(room ${path} NAME)
  get_filename_component(wing ${path} DIRECTORY)
  add_library(limber::${room} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${room})
  install(TARGETS ${target} EXPORT limber
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/limber/${path}
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/limber/${wing} COMPONENT library
    FILES_MATCHING PATTERN "*.h" PATTERN "*_for_test.h" EXCLUDE PATTERN "test_support.h" EXCLUDE)
endforeach()

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/limber)
install(EXPORT limber NAMESPACE limber:: FILE limberTargets.cmake DESTINATION ${package} COMPONENT library)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/limberConfig.cmake.in
  ${PROJECT_BINARY_DIR}/limberConfig.cmake INSTALL_DESTINATION ${package}
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# While the major version is 0 a minor one may break what was built on the last (docs/versioning.md).
write_basic_package_version_file(${PROJECT_BINARY_DIR}/limberConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/limberConfig.cmake ${PROJECT_BINARY_DIR}/limberConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/cmake/arrow.cmake DESTINATION ${package} COMPONENT library)
