# SPDX-License-Identifier: MIT
# tk_options: what every target of ours is compiled with. Generated code links tk_options_generated (no warnings).
find_package(Threads REQUIRED)

add_library(tk_options_generated INTERFACE)
target_compile_options(tk_options_generated INTERFACE -std=gnu17 -fno-common -fvisibility=hidden -pthread)
target_compile_definitions(tk_options_generated INTERFACE _GNU_SOURCE TASKER_VERSION="${PROJECT_VERSION}")
if(TASKER_SANITIZE)
  target_compile_options(tk_options_generated INTERFACE
    -fsanitize=${TASKER_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(tk_options_generated INTERFACE -fsanitize=${TASKER_SANITIZE})
  if(TASKER_FUZZ) # what libFuzzer follows its way by
    target_compile_options(tk_options_generated INTERFACE -fsanitize=fuzzer-no-link)
  endif()
elseif(CMAKE_BUILD_TYPE MATCHES "Release|RelWithDebInfo")
  target_compile_options(tk_options_generated INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong)
  target_link_options(tk_options_generated INTERFACE -Wl,-z,relro,-z,now)
endif()

add_library(tk_options INTERFACE)
target_link_libraries(tk_options INTERFACE tk_options_generated)
target_compile_options(tk_options INTERFACE
  -Wall -Wextra -Wshadow -Wundef -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wcast-qual
  -Wformat=2 -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference -Wdate-time
  # clang looks into the macros of generated protobuf headers, where constness is cast away; gcc checks our own code.
  $<$<C_COMPILER_ID:Clang>:-Wno-gnu-zero-variadic-macro-arguments>
  $<$<C_COMPILER_ID:Clang>:-Wno-cast-qual>
  $<$<BOOL:${TASKER_WERROR}>:-Werror>)
