# SPDX-License-Identifier: MIT
# tk_embed_sql(target KIND queries|migrations DIR dir NAME file): SQL files become C at build time (embed_sql.cmake).
# Files are listed at configure time and watched, so that a new one is picked up by the next build.
function(tk_embed_sql target)
  cmake_parse_arguments(arg "" "KIND;DIR;NAME" "" ${ARGN})
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${arg_DIR}/*.sql ${arg_DIR}/ORDER)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/gen/${arg_NAME})
  add_custom_command(
    OUTPUT ${out}.c ${out}.h
    COMMAND ${CMAKE_COMMAND} -DKIND=${arg_KIND} -DDIR=${arg_DIR} -DOUT=${out} -P ${PROJECT_SOURCE_DIR}/cmake/embed_sql.cmake
    DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/embed_sql.cmake
    COMMENT "embed ${arg_KIND}" VERBATIM)
  target_sources(${target} PRIVATE ${out}.c ${out}.h)
  target_include_directories(${target} SYSTEM PUBLIC ${CMAKE_CURRENT_BINARY_DIR}/gen)
endfunction()
