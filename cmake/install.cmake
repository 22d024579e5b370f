# What is installed where: into the wheel when scikit-build-core builds it, else below CMAKE_INSTALL_PREFIX.
# Components: `program` (with the extension and the plugin), `development` (C++), `c_library`; pyproject.toml names those
# that go into the wheel.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
include(cmake/header.cmake)

if(SKBUILD)
  # All in the package's folder, so that the plugin lies beside whatever looks for it.
  set(slipway_program_folder ${SKBUILD_SCRIPTS_DIR})
  set(slipway_plugin_folder slipway)
  set(slipway_library_folder slipway)
  set(slipway_config_folder slipway/lib/cmake/slipway)
  set(slipway_header_folder slipway/include)
  install(TARGETS _engine LIBRARY DESTINATION slipway COMPONENT program)
else()
  set(slipway_program_folder ${CMAKE_INSTALL_BINDIR})
  set(slipway_plugin_folder ${CMAKE_INSTALL_LIBDIR})
  set(slipway_library_folder ${CMAKE_INSTALL_LIBDIR})
  set(slipway_config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/slipway)
  set(slipway_header_folder ${CMAKE_INSTALL_INCLUDEDIR})
  # A wheel holds no links, so names with versions would be copies there.
  set_target_properties(slipway_c PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 1)
endif()

install(TARGETS slipway-infer RUNTIME DESTINATION ${slipway_program_folder} COMPONENT program)
if(TARGET slipway_cuda)
  install(TARGETS slipway_cuda LIBRARY DESTINATION ${slipway_plugin_folder} COMPONENT program)
endif()

# ---- C++: the static library, its one header, and what find_package(slipway) reads ----
set_target_properties(slipway_engine PROPERTIES EXPORT_NAME slipway)
install(
  TARGETS slipway_engine
  EXPORT slipwayTargets
  ARCHIVE DESTINATION ${slipway_library_folder} COMPONENT development
  INCLUDES DESTINATION ${slipway_header_folder})
install(
  EXPORT slipwayTargets
  NAMESPACE slipway::
  DESTINATION ${slipway_config_folder}
  COMPONENT development)
slipway_write_header(${PROJECT_BINARY_DIR}/slipway.h)
install(
  FILES ${PROJECT_BINARY_DIR}/slipway.h ${PROJECT_SOURCE_DIR}/cpp/include/slipway/c.h
  DESTINATION ${slipway_header_folder}/slipway
  COMPONENT development)
configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/slipwayConfig.cmake.in ${PROJECT_BINARY_DIR}/slipwayConfig.cmake
  INSTALL_DESTINATION ${slipway_config_folder}
  PATH_VARS slipway_plugin_folder
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/slipwayConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES ${PROJECT_BINARY_DIR}/slipwayConfig.cmake ${PROJECT_BINARY_DIR}/slipwayConfigVersion.cmake
  DESTINATION ${slipway_config_folder}
  COMPONENT development)

# ---- C: the shared library, for everything that calls C ----
set_target_properties(slipway_c PROPERTIES EXPORT_NAME c)
install(
  TARGETS slipway_c
  EXPORT slipwayCTargets
  LIBRARY DESTINATION ${slipway_library_folder} COMPONENT c_library
  INCLUDES DESTINATION ${slipway_header_folder})
install(
  EXPORT slipwayCTargets
  NAMESPACE slipway::
  DESTINATION ${slipway_config_folder}
  COMPONENT c_library)
file(RELATIVE_PATH slipway_root /${slipway_library_folder}/pkgconfig /)
string(REGEX REPLACE "/$" "" slipway_root "${slipway_root}")
configure_file(${PROJECT_SOURCE_DIR}/cmake/slipway.pc.in ${PROJECT_BINARY_DIR}/slipway.pc @ONLY)
install(
  FILES ${PROJECT_BINARY_DIR}/slipway.pc
  DESTINATION ${slipway_library_folder}/pkgconfig
  COMPONENT c_library)
