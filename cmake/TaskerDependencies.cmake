# SPDX-License-Identifier: MIT
# The libraries we stand on (docs/design/dependencies.md says why each). One PkgConfig:: target per library;
# only the adapter folder named there links it.
find_package(PkgConfig REQUIRED)
foreach(pair
    "MICROHTTPD libmicrohttpd>=0.9.75" "PROTOBUF_C libprotobuf-c>=1.4" "GRPC grpc" "PQ libpq" "HIREDIS hiredis"
    "JANSSON jansson>=2.14" "YAML yaml-0.1" "CURL libcurl" "CRYPTO libcrypto" "GMP gmp" "PCRE2 libpcre2-8" "CMOCKA cmocka")
  string(REPLACE " " ";" pair "${pair}")
  list(GET pair 0 name)
  list(GET pair 1 module)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${module})
endforeach()
find_program(PROTOC_C protoc-c REQUIRED)
