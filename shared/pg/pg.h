/* SPDX-License-Identifier: MIT */
/* pg/pg.h: one PostgreSQL connection with blocking calls and prepared statements. The only folder that includes libpq.
 * A connection belongs to one thread at a time. Parameters go in binary, results come back as text.
 *
 *     struct tk_pg_args args;
 *     tk_pg_args_init(&args, arena);
 *     tk_pg_arg_uuid_array(&args, steps, n);
 *     tk_pg_arg_i32(&args, lease_ms);
 *     struct tk_pg_result *res = NULL;
 *     int r = tk_pg_query(pg, &tk_sql_engine_settle_steps, &args, &res, &err);
 */
#pragma once
#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/uuid.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Outcomes of tk_pg_query and friends; err carries SQLSTATE and the server's message. */
enum {
        TK_PG_OK,
        TK_PG_E_RETRY,     /* serialization, deadlock, lock timeout: nothing happened, say it again */
        TK_PG_E_UNIQUE,    /* unique or exclusion violation */
        TK_PG_E_DATA,      /* the data was refused (classes 22, 54, 23 except unique): the caller's input is at fault */
        TK_PG_E_DOWN,      /* connection lost or refused, server starting or stopping: reconnect and say it again; the commit may have happened */
        TK_PG_E_TIMEOUT,   /* statement_timeout */
        TK_PG_E_SERVER,    /* anything else: our own fault (bad SQL, missing function) */
        TK_PG_E_INTERNAL,  /* the statement fell over what it found (classes 21, P0, XX) */
};

struct tk_pg;
struct tk_pg_conf {
        const char *url;              /* postgresql://… */
        const char *application_name; /* shown in pg_stat_activity */
        int64_t connect_timeout_ns;   /* 0: 5 s */
        int64_t statement_timeout_ns; /* 0: none */
        bool hot;                     /* pin the planner for the hot functions (docs/design/database.md): enable_seqscan,
                                         enable_hashjoin, enable_mergejoin, enable_memoize, enable_material,
                                         jit off; plan_cache_mode force_generic_plan */
        const char *options;          /* more that the session starts with: " -c name=value ..."; NULL: nothing */
        int (*check)(struct tk_pg *pg, struct tk_err *err); /* asked once connected; not 0: not opened, TK_PG_E_SERVER. May be NULL */
};

struct tk_sql {              /* one embedded query; made from shared/sql/<noun>/<verb>.sql as tk_sql_<noun>_<verb> */
        const char *name;    /* "engine.settle_steps" */
        const char *text;
        unsigned params;     /* counted from the `-- in:` line */
        unsigned columns;    /* counted from the `-- out:` line; 0: no rows */
};

struct tk_pg_result;
/* Connects (blocking, bounded by connect_timeout). 0 or TK_PG_E_DOWN / TK_PG_E_SERVER (bad URL, failed check). */
TK_MUST int tk_pg_open(const struct tk_pg_conf *conf, struct tk_pg **ret_pg, struct tk_err *err);
struct tk_pg *tk_pg_close(struct tk_pg *pg); /* NULL is fine; returns NULL */
bool tk_pg_alive(const struct tk_pg *pg);    /* false after TK_PG_E_DOWN: close it */
bool tk_pg_usable(struct tk_pg *pg);         /* alive, and the server has not ended the session while it was idle; no round trip */
TK_DEFINE_CLEANUP(struct tk_pg *, tk_pg_close);

/* Parameters, in order. Values are copied into the arena in wire form; NULL pointers are SQL NULL. */
struct tk_pg_args {
        struct tk_arena *arena;
        unsigned n, cap;
        const char **values;
        int *lengths, *formats;
        unsigned *types;
};
void tk_pg_args_init(struct tk_pg_args *args, struct tk_arena *arena);
void tk_pg_arg_null(struct tk_pg_args *args);
void tk_pg_arg_text(struct tk_pg_args *args, const char *text);
void tk_pg_arg_text_n(struct tk_pg_args *args, const char *text, size_t len);
void tk_pg_arg_jsonb(struct tk_pg_args *args, const char *text); /* checked JSON text */
void tk_pg_arg_bytea(struct tk_pg_args *args, const void *data, size_t len);
void tk_pg_arg_i32(struct tk_pg_args *args, int32_t value);
void tk_pg_arg_i64(struct tk_pg_args *args, int64_t value);
void tk_pg_arg_bool(struct tk_pg_args *args, bool value);
void tk_pg_arg_uuid(struct tk_pg_args *args, const struct tk_uuid *uuid); /* NULL: SQL NULL */
void tk_pg_arg_time(struct tk_pg_args *args, int64_t wall_ns);           /* timestamptz */
/* Arrays; an element pointer that is NULL is a NULL element (text, bytea, uuid by nil → NULL only in _opt). */
struct tk_pg_bytes {
        const void *data; /* NULL: NULL element */
        size_t len;
};
void tk_pg_arg_uuid_array(struct tk_pg_args *args, const struct tk_uuid *items, size_t n);
void tk_pg_arg_uuid_opt_array(struct tk_pg_args *args, const struct tk_uuid *items, size_t n); /* nil becomes NULL */
void tk_pg_arg_i32_array(struct tk_pg_args *args, const int32_t *items, size_t n);
void tk_pg_arg_i64_array(struct tk_pg_args *args, const int64_t *items, size_t n);
void tk_pg_arg_bool_array(struct tk_pg_args *args, const bool *items, size_t n);
void tk_pg_arg_time_array(struct tk_pg_args *args, const int64_t *wall_ns, size_t n);
void tk_pg_arg_time_opt_array(struct tk_pg_args *args, const int64_t *wall_ns, size_t n); /* 0 becomes NULL */
void tk_pg_arg_text_array(struct tk_pg_args *args, const char *const *items, size_t n);
void tk_pg_arg_text_n_array(struct tk_pg_args *args, const struct tk_pg_bytes *items, size_t n);
void tk_pg_arg_bytea_array(struct tk_pg_args *args, const struct tk_pg_bytes *items, size_t n);

/* Runs a prepared statement (prepared once per connection, on first use). args may be NULL for none.
 * ret_res may be NULL when the rows do not matter; otherwise free with tk_pg_result_free. */
TK_MUST int tk_pg_query(struct tk_pg *pg, const struct tk_sql *sql, const struct tk_pg_args *args,
                        struct tk_pg_result **ret_res, struct tk_err *err);
/* Unprepared script text (migrations): several statements allowed, one implicit transaction. */
TK_MUST int tk_pg_script(struct tk_pg *pg, const char *text, struct tk_err *err);
TK_MUST int tk_pg_begin(struct tk_pg *pg, struct tk_err *err);
TK_MUST int tk_pg_commit(struct tk_pg *pg, struct tk_err *err);
void tk_pg_rollback(struct tk_pg *pg);
/* The five-character SQLSTATE of the last failure, "" if none. */
const char *tk_pg_sqlstate(const struct tk_pg *pg);
/* Of a statement about many: may one of them be why, so that it succeeds for the others? tasker._at_fault says the same within the server. */
bool tk_pg_one_row(int outcome);
const char *tk_pg_outcome_name(int outcome); /* "down", "retry", … for logs and metrics */

struct tk_pg_result *tk_pg_result_free(struct tk_pg_result *res);
TK_DEFINE_CLEANUP(struct tk_pg_result *, tk_pg_result_free);
int tk_pg_rows(const struct tk_pg_result *res);
int tk_pg_column(const struct tk_pg_result *res, const char *name); /* aborts when there is none: a query and its reader belong together */
bool tk_pg_is_null(const struct tk_pg_result *res, int row, int col);
const char *tk_pg_str(const struct tk_pg_result *res, int row, int col); /* "" when NULL; borrowed from res */
size_t tk_pg_len(const struct tk_pg_result *res, int row, int col);
int64_t tk_pg_i64(const struct tk_pg_result *res, int row, int col);      /* 0 when NULL */
double tk_pg_f64(const struct tk_pg_result *res, int row, int col);
bool tk_pg_bool(const struct tk_pg_result *res, int row, int col);
struct tk_uuid tk_pg_uuid(const struct tk_pg_result *res, int row, int col); /* nil when NULL */
int64_t tk_pg_time(const struct tk_pg_result *res, int row, int col);     /* wall ns; 0 when NULL */
