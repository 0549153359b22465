/* SPDX-License-Identifier: MIT */
/* conf/rows.h: turns CONF rows into struct fields and table entries. Use:
 *     struct my_conf {
 *     #define CONF TK_CONF_FIELD
 *     #include "tbl/conf.h"          (the service's rows; no include guard there)
 *     #undef CONF
 *     };
 *     static const struct tk_conf_row rows[] = {
 *     #define CONF(...) TK_CONF_ROW(struct my_conf, __VA_ARGS__)
 *     #include "tbl/conf.h"
 *     #undef CONF
 *     };
 * Row: CONF(type, field, key, default, min, max, unit, flags, env, doc) */
#pragma once
#include "conf/conf.h"

#define TK_CONF_CTYPE_str char *
#define TK_CONF_CTYPE_u32 uint32_t
#define TK_CONF_CTYPE_i64 int64_t
#define TK_CONF_CTYPE_dur int64_t
#define TK_CONF_CTYPE_size uint64_t
#define TK_CONF_CTYPE_bool bool
/* <stdbool.h> makes `bool` a macro: rows that pass through another macro arrive as _Bool. */
#define TK_CONF_CTYPE__Bool bool
#define TK_CONF__Bool TK_CONF_bool
#define TK_CONF_CTYPE_list struct tk_conf_list
#define TK_CONF_FIELD(type, field, key, def, min, max, unit, flags, env, doc) TK_CONF_CTYPE_##type field;
#define TK_CONF_ROW(strct, type, field, key, def, min, max, unit, flags, env, doc)                           \
        {TK_CONF_##type, offsetof(strct, field), key, def, min, max, unit, flags, env, doc},
