/* SPDX-License-Identifier: MIT */
/* model/yaml_tree.h: a YAML document as JSON values, and where each value stood. Bounded in bytes, depth and nodes (aliases
 * count with everything they stand for, so a "billion laughs" document is refused). Plain scalars are typed: null, true,
 * false, integers, floats; quoted ones stay strings. Not thread-safe. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include <jansson.h>

enum { TK_YAML_DEPTH_MAX = 64, TK_YAML_NODES_MAX = 1000000 };
struct tk_yaml_place {
        unsigned line, column; /* from 1; 0: unknown */
};
struct tk_yaml_tree;
/* Errors read "file:line:column: …". */
TK_MUST int tk_yaml_parse(const char *file, const void *text, size_t len, struct tk_yaml_tree **ret, struct tk_err *err);
struct tk_yaml_tree *tk_yaml_free(struct tk_yaml_tree *tree);
TK_DEFINE_CLEANUP(struct tk_yaml_tree *, tk_yaml_free);
json_t *tk_yaml_root(const struct tk_yaml_tree *tree); /* borrowed */
/* Of a value by JSON pointer ("/steps/0/name"); the nearest enclosing one that is known. */
struct tk_yaml_place tk_yaml_place(const struct tk_yaml_tree *tree, const char *pointer);
