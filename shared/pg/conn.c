/* SPDX-License-Identifier: MIT */
/* pg/conn.c: a connection, its prepared statements and its calls. Reconnecting is the owner's business. */
#include "base/buf.h"
#include "base/check.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/probe.h"
#include "base/time.h"
#include "fault/fault.h"
#include "pg/internal.h"
#include "run/meter.h"
#include "run/spread.h"
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#define CONNECT_TIMEOUT_NS (5 * TK_NS_PER_S)
enum { OPTIONS_MAX = 1024, STATEMENT_NAME = 128 };

/* The hot functions are written for index access by primary key; with these plans cannot flip when tables grow or
 * statistics age (docs/design/database.md). */
static const char hot_options[] = " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c enable_memoize=off"
                                  " -c enable_material=off -c jit=off -c plan_cache_mode=force_generic_plan";

static void session_options(const struct tk_pg_conf *conf, struct tk_buf *options)
{
        tk_buf_printf(options, "-c TimeZone=UTC -c client_min_messages=warning -c statement_timeout=%lld",
                      (long long)(conf->statement_timeout_ns / TK_NS_PER_MS));
        if (conf->hot)
                tk_buf_puts(options, hot_options);
        if (conf->options)
                tk_buf_puts(options, conf->options);
}

int tk_pg_open(const struct tk_pg_conf *conf, struct tk_pg **ret_pg, struct tk_err *err)
{
        int64_t timeout_ns = conf->connect_timeout_ns ? conf->connect_timeout_ns : CONNECT_TIMEOUT_NS;
        char timeout[32];
        TK_AUTOBUF struct tk_buf options;
        tk_buf_init(&options, OPTIONS_MAX);
        session_options(conf, &options);
        snprintf(timeout, sizeof timeout, "%lld", (long long)((timeout_ns + TK_NS_PER_S - 1) / TK_NS_PER_S));
        const char *keys[] = {"dbname",          "application_name", "connect_timeout",     "options",
                              "client_encoding", "keepalives_idle",  "keepalives_interval", NULL};
        const char *values[] = {conf->url, conf->application_name, timeout, tk_buf_str(&options), "UTF8", "10", "5", NULL};

        struct tk_pg *pg = TK_NEW(struct tk_pg);
        pg->prepared = tk_map_new();
        pg->calls = tk_spread_get(TK_SPREAD_DATABASE, conf->application_name ? conf->application_name : "");
        pg->meter = tk_meter_get(TK_METER_CONNECTION, conf->application_name ? conf->application_name : "");
        tk_meter_add(pg->meter, TK_CONNECTION_OPEN, 1);
        pg->conn = PQconnectdbParams(keys, values, 1);
        TK_CHECK(pg->conn);
        if (PQstatus(pg->conn) != CONNECTION_OK) {
                int r = tk_pg_outcome(pg, NULL, "connect", err);
                tk_pg_close(pg);
                return r;
        }
        if (conf->check && conf->check(pg, err)) {
                int r = tk_pg_alive(pg) ? TK_PG_E_SERVER : TK_PG_E_DOWN;
                tk_pg_close(pg);
                return r;
        }
        tk_meter_add(pg->meter, TK_CONNECTION_OPENED, 1);
        TK_PROBE(connection_acquired, conf->application_name);
        *ret_pg = pg;
        return 0;
}

struct tk_pg *tk_pg_close(struct tk_pg *pg)
{
        if (!pg)
                return NULL;
        tk_meter_add(pg->meter, TK_CONNECTION_OPEN, -1);
        PQfinish(pg->conn);
        tk_map_free(pg->prepared);
        return tk_free(pg);
}

bool tk_pg_alive(const struct tk_pg *pg)
{
        return PQstatus(pg->conn) == CONNECTION_OK;
}

/* Between transactions a server only speaks to end the session (or to tell of a changed setting). */
bool tk_pg_usable(struct tk_pg *pg)
{
        struct pollfd fd = {.fd = PQsocket(pg->conn), .events = POLLIN};
        while (tk_pg_alive(pg) && poll(&fd, 1, 0) > 0)
                if (!PQconsumeInput(pg->conn))
                        break;
        return tk_pg_alive(pg);
}

static bool succeeded(const PGresult *res)
{
        ExecStatusType status = PQresultStatus(res);
        return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

/* ---- faults of tests (fault/fault.h) ---- */

static void break_off(struct tk_pg *pg)
{
        (void)shutdown(PQsocket(pg->conn), SHUT_RDWR);
}

/* It was carried out, and nobody will know. */
static PGresult *lose_answer(struct tk_pg *pg, PGresult *res)
{
        PQclear(res);
        break_off(pg);
        return PQexec(pg->conn, "");
}

/* ---- statements ---- */

/* Prepares once per connection; parameter types come from the arguments, so that arrays need no casts. */
static int prepare(struct tk_pg *pg, const struct tk_sql *sql, const struct tk_pg_args *args, struct tk_err *err)
{
        if (tk_map_gets(pg->prepared, sql->name))
                return 0;
        PGresult *res = PQprepare(pg->conn, sql->name, sql->text, args ? (int)args->n : 0, args ? args->types : NULL);
        int r = succeeded(res) ? 0 : tk_pg_outcome(pg, res, sql->name, err);
        PQclear(res);
        if (!r)
                tk_map_puts(pg->prepared, sql->name, pg);
        return r;
}

int tk_pg_query(struct tk_pg *pg, const struct tk_sql *sql, const struct tk_pg_args *args, struct tk_pg_result **ret_res,
                struct tk_err *err)
{
        TK_CHECK((args ? args->n : 0) == sql->params);
        int r = prepare(pg, sql, args, err);
        if (r)
                return r;
        int64_t begin_ns = tk_time_mono_ns();
        tk_meter_note(pg->meter, sql->name);
        tk_meter_add(pg->meter, TK_CONNECTION_BUSY, 1);
        TK_PROBE(statement_start, sql->name);
        if (tk_fault(TK_FAULT_STATEMENT_BEFORE))
                break_off(pg);
        PGresult *res = PQexecPrepared(pg->conn, sql->name, args ? (int)args->n : 0, args ? args->values : NULL,
                                       args ? args->lengths : NULL, args ? args->formats : NULL, 0);
        if (tk_fault(TK_FAULT_STATEMENT_AFTER))
                res = lose_answer(pg, res);
        int64_t took_ns = tk_time_mono_ns() - begin_ns;
        tk_spread_observe(pg->calls, took_ns);
        tk_meter_add(pg->meter, TK_CONNECTION_BUSY, -1);
        TK_PROBE(statement_end, sql->name, took_ns);
        if (!succeeded(res)) {
                tk_meter_add(pg->meter, TK_CONNECTION_FAILED, 1);
                r = tk_pg_outcome(pg, res, sql->name, err);
                PQclear(res);
                return r;
        }
        if (!ret_res) {
                PQclear(res);
                return 0;
        }
        struct tk_pg_result *result = TK_NEW(struct tk_pg_result);
        result->res = res;
        *ret_res = result;
        return 0;
}

int tk_pg_script(struct tk_pg *pg, const char *text, struct tk_err *err)
{
        if (tk_fault(TK_FAULT_STATEMENT_BEFORE))
                break_off(pg);
        PGresult *res = PQexec(pg->conn, text);
        if (tk_fault(TK_FAULT_STATEMENT_AFTER))
                res = lose_answer(pg, res);
        int r = succeeded(res) ? 0 : tk_pg_outcome(pg, res, "script", err);
        PQclear(res);
        return r;
}

int tk_pg_begin(struct tk_pg *pg, struct tk_err *err)
{
        return tk_pg_script(pg, "BEGIN", err);
}

int tk_pg_commit(struct tk_pg *pg, struct tk_err *err)
{
        return tk_pg_script(pg, "COMMIT", err);
}

void tk_pg_rollback(struct tk_pg *pg)
{
        (void)!tk_pg_script(pg, "ROLLBACK", NULL);
}
