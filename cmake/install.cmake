# What is installed where: into the wheel when scikit-build-core builds it, else below CMAKE_INSTALL_PREFIX.
# The static library and its headers are used from the build tree; nothing of them is installed yet.

if(SKBUILD)
  install(TARGETS _engine LIBRARY DESTINATION slipway)
  set(slipway_plugin_folder slipway)
  set(slipway_program_folder ${SKBUILD_SCRIPTS_DIR})
else()
  include(GNUInstallDirs)
  set(slipway_program_folder ${CMAKE_INSTALL_BINDIR})
  set(slipway_plugin_folder ${CMAKE_INSTALL_LIBDIR})
endif()

if(TARGET slipway-infer)
  install(TARGETS slipway-infer RUNTIME DESTINATION ${slipway_program_folder})
endif()
if(TARGET slipway_cuda)
  install(TARGETS slipway_cuda LIBRARY DESTINATION ${slipway_plugin_folder})
endif()
