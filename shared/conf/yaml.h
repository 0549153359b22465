/* SPDX-License-Identifier: MIT */
/* conf/yaml.h: a YAML file as a flat list of dotted keys with their lines. */
#pragma once
#include "conf/conf.h"

struct tk_conf_item {
        char *key;                  /* "database.url" */
        struct tk_conf_list values; /* one for a scalar */
        bool is_list;
        unsigned line;
};
struct tk_conf_file {
        struct tk_conf_item *items;
        size_t count;
};

/* 0, or negative with err ("tasker.yaml:3: …"). Call deinit in both cases. */
TK_MUST int tk_conf_file_read(const char *path, struct tk_conf_file *ret_file, struct tk_err *err);
void tk_conf_file_deinit(struct tk_conf_file *file);
