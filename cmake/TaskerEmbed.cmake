# SPDX-License-Identifier: MIT
# tk_embed_sql(target DIR dir): every *.sql below dir becomes a C string; see embed_sql.cmake for the symbols.
# Files are listed at configure time and watched, so that a new file is picked up by the next build.
function(tk_embed_sql target)
  cmake_parse_arguments(arg "" "DIR;NAME;PREFIX" "" ${ARGN})
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${arg_DIR}/*.sql ${arg_DIR}/ORDER)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/gen/${arg_NAME})
  add_custom_command(
    OUTPUT ${out}.c ${out}.h
    COMMAND ${CMAKE_COMMAND} -DDIR=${arg_DIR} -DOUT=${out} -DPREFIX=${arg_PREFIX} -DNAME=${arg_NAME}
            -P ${PROJECT_SOURCE_DIR}/cmake/embed_sql.cmake
    DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/embed_sql.cmake
    COMMENT "embed ${arg_NAME}" VERBATIM)
  target_sources(${target} PRIVATE ${out}.c ${out}.h)
  target_include_directories(${target} SYSTEM PUBLIC ${CMAKE_CURRENT_BINARY_DIR}/gen)
endfunction()
