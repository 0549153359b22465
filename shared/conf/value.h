/* SPDX-License-Identifier: MIT */
/* conf/value.h: one value of one row: from text with its range, and back to text. */
#pragma once
#include "conf/conf.h"

static inline void *tk_conf_field(const struct tk_conf_row *row, void *conf)
{
        return (char *)conf + row->offset;
}
static inline const void *tk_conf_field_const(const struct tk_conf_row *row, const void *conf)
{
        return (const char *)conf + row->offset;
}

/* Replaces the field's value. `source` says where the text comes from ("tasker.yaml:3"). 0 or -EINVAL / -ERANGE with err. */
TK_MUST int tk_conf_value_set(const struct tk_conf_row *row, void *conf, const char *text, const char *source,
                              struct tk_err *err);
/* The same for a list given item by item. */
TK_MUST int tk_conf_value_set_list(const struct tk_conf_row *row, void *conf, const struct tk_conf_list *list,
                                   const char *source, struct tk_err *err);
void tk_conf_value_free(const struct tk_conf_row *row, void *conf);

void tk_conf_list_append(struct tk_conf_list *list, const char *text, size_t len);
void tk_conf_list_deinit(struct tk_conf_list *list);

/* A number in the type's own notation: "30s", "64k", "17". */
void tk_conf_number_put(enum tk_conf_type type, int64_t value, struct tk_buf *out);
/* The number a field holds (u32, i64, dur, size, bool). */
int64_t tk_conf_number(const struct tk_conf_row *row, const void *conf);
