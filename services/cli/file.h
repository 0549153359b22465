/* SPDX-License-Identifier: MIT */
/* cli/file.h: reading what the user named: a file, standard input, or all templates below a directory. */
#pragma once
#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "json/json.h"

/* The whole file ("-": standard input) into buf, bounded by its maximum. 0, or negative with err. */
TK_MUST int cli_file_read(const char *path, struct tk_buf *buf, struct tk_err *err);
/* JSON given on the command line: text, "@file", or "-" for standard input. 0, or negative with err. */
TK_MUST int cli_file_json(const char *text, json_t **ret, struct tk_err *err);
/* The path itself when it is a file; else every *.yaml and *.yml below it, sorted. Strings live in the arena.
 */
enum { CLI_FILE_LIST_MAX = 4096 };
TK_MUST int cli_file_list(const char *path, struct tk_arena *arena, const char ***ret, unsigned *ret_n,
                          struct tk_err *err);
