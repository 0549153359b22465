/* SPDX-License-Identifier: MIT */
/* One connection: values there and back, what becomes of errors, life after the server has ended a session. Needs a database:
 * tests/wire/test_adapters.py starts one and names it in TASKER_TEST_DATABASE_URL; without it the tests are skipped. */
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "pg/lazy.h"
#include "pg/listen.h"
#include "pg/pg.h"
#include "run/lock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *url;
static struct tk_pg *pg;
static struct tk_arena *arena;
static struct tk_err err;

static int setup(void **state)
{
        (void)state;
        url = getenv("TASKER_TEST_DATABASE_URL");
        arena = tk_arena_new(4096, 1u << 24);
        if (!url)
                return 0;
        return tk_pg_open(&(struct tk_pg_conf){.url = url,
                                               .application_name = "conn_test",
                                               .statement_timeout_ns = 2 * TK_NS_PER_S},
                          &pg, &err);
}

static int teardown(void **state)
{
        (void)state;
        pg = tk_pg_close(pg);
        arena = tk_arena_free(arena);
        return 0;
}

#define NEEDS_DATABASE                                                                                        \
        (void)state;                                                                                          \
        if (!url)                                                                                             \
        skip()

/* The one value of a statement, as text; lives until the next call. */
static const char *value(const struct tk_sql *sql, const struct tk_pg_args *args)
{
        static struct tk_pg_result *last;
        tk_pg_result_free(last);
        last = NULL;
        if (tk_pg_query(pg, sql, args, &last, &err))
                fail_msg("%s", tk_err_text(&err));
        assert_int_equal(tk_pg_rows(last), 1);
        return tk_pg_is_null(last, 0, 0) ? NULL : tk_pg_str(last, 0, 0);
}

static int outcome(const char *text)
{
        return tk_pg_script(pg, text, &err);
}

static void every_type_there_and_back(void **state)
{
        NEEDS_DATABASE;
        static const struct tk_sql sql = {
                .name = "t.types",
                .params = 8,
                .columns = 8,
                .text = "SELECT $1::text AS t, $2::int4 AS i, $3::int8 AS l, $4::bool AS b, $5::uuid AS u, "
                        "$6::timestamptz AS at, encode($7::bytea, 'hex') AS bytes, $8::uuid AS none"};
        struct tk_uuid uuid;
        struct tk_pg_args args;
        TK_CLEANUP(tk_pg_result_free) struct tk_pg_result *res = NULL;
        int64_t at_ns = 1748772000123456000;
        tk_uuid_v7(&uuid);
        tk_pg_args_init(&args, arena);
        tk_pg_arg_text(&args, "grün 'quoted' \\ \"both\"");
        tk_pg_arg_i32(&args, INT32_MIN);
        tk_pg_arg_i64(&args, INT64_MAX);
        tk_pg_arg_bool(&args, true);
        tk_pg_arg_uuid(&args, &uuid);
        tk_pg_arg_time(&args, at_ns);
        tk_pg_arg_bytea(&args, "\0\xff", 2);
        tk_pg_arg_uuid(&args, NULL);
        if (tk_pg_query(pg, &sql, &args, &res, &err))
                fail_msg("%s", tk_err_text(&err));
        assert_string_equal(tk_pg_str(res, 0, tk_pg_column(res, "t")), "grün 'quoted' \\ \"both\"");
        assert_int_equal(tk_pg_i64(res, 0, tk_pg_column(res, "i")), INT32_MIN);
        assert_true(tk_pg_i64(res, 0, tk_pg_column(res, "l")) == INT64_MAX);
        assert_true(tk_pg_bool(res, 0, tk_pg_column(res, "b")));
        struct tk_uuid back = tk_pg_uuid(res, 0, tk_pg_column(res, "u"));
        assert_true(tk_uuid_eq(&back, &uuid));
        assert_true(tk_pg_time(res, 0, tk_pg_column(res, "at")) == at_ns);
        assert_string_equal(tk_pg_str(res, 0, tk_pg_column(res, "bytes")), "00ff");
        assert_true(tk_pg_is_null(res, 0, tk_pg_column(res, "none")));
        assert_int_equal(tk_pg_i64(res, 0, tk_pg_column(res, "none")), 0);
}

static void arrays_keep_their_order_and_their_nulls(void **state)
{
        NEEDS_DATABASE;
        static const struct tk_sql texts = {.name = "t.texts",
                                            .params = 1,
                                            .columns = 1,
                                            .text = "SELECT array_to_json($1::text[])::text"},
                                   ints = {.name = "t.ints",
                                           .params = 1,
                                           .columns = 1,
                                           .text = "SELECT array_to_json($1::int4[])::text"},
                                   uuids = {.name = "t.uuids",
                                            .params = 1,
                                            .columns = 1,
                                            .text = "SELECT array_to_json($1::uuid[])::text"};
        struct tk_pg_args args;
        tk_pg_args_init(&args, arena);
        tk_pg_arg_text_array(&args, (const char *const[]){"b", NULL, "a, \"}", ""}, 4);
        assert_string_equal(value(&texts, &args), "[\"b\",null,\"a, \\\"}\",\"\"]");
        tk_pg_args_init(&args, arena);
        tk_pg_arg_text_array(&args, NULL, 0);
        assert_string_equal(value(&texts, &args), "[]");
        tk_pg_args_init(&args, arena);
        tk_pg_arg_i32_array(&args, (const int32_t[]){3, -1, INT32_MAX}, 3);
        assert_string_equal(value(&ints, &args), "[3,-1,2147483647]");
        tk_pg_args_init(&args, arena);
        tk_pg_arg_uuid_opt_array(&args, (const struct tk_uuid[]){{{0}}, {{1}}}, 2);
        assert_string_equal(value(&uuids, &args), "[null,\"01000000-0000-0000-0000-000000000000\"]");
}

static void each_error_has_its_outcome(void **state)
{
        NEEDS_DATABASE;
        static const struct {
                const char *text;
                int outcome;
                const char *state;
        } rows[] = {
                {"SELECT no_such_function()", TK_PG_E_SERVER, "42883"},
                {"SELECT 'x'::uuid", TK_PG_E_DATA, "22P02"},
                {"CREATE TEMP TABLE one (n int PRIMARY KEY); INSERT INTO one VALUES (1); INSERT INTO one VALUES (1)", TK_PG_E_UNIQUE, "23505"},
                {"CREATE TEMP TABLE two (n int NOT NULL); INSERT INTO two VALUES (NULL)", TK_PG_E_DATA, "23502"},
                {"SELECT repeat('[', 1000000)::json", TK_PG_E_DATA, "54001"},
                {"DO $$ BEGIN RAISE serialization_failure; END $$", TK_PG_E_RETRY, "40001"},
                {"DO $$ BEGIN RAISE deadlock_detected; END $$", TK_PG_E_RETRY, "40P01"},
                {"SELECT pg_sleep(30)", TK_PG_E_TIMEOUT, "57014"},
                {"SELECT (SELECT generate_series(1, 2))", TK_PG_E_INTERNAL, "21000"},
                {"DO $$ BEGIN RAISE 'no'; END $$", TK_PG_E_INTERNAL, "P0001"},
                {"DO $$ BEGIN RAISE 'no' USING ERRCODE = 'XX000'; END $$", TK_PG_E_INTERNAL, "XX000"},
                {"DO $$ BEGIN RAISE too_many_connections; END $$", TK_PG_E_DOWN, "53300"},
        };
        for (size_t i = 0; i < tk_countof(rows); i++) {
                assert_int_equal(outcome(rows[i].text), rows[i].outcome);
                assert_string_equal(tk_pg_sqlstate(pg), rows[i].state);
                assert_non_null(strstr(tk_err_text(&err), rows[i].state));
                assert_int_equal(outcome("SELECT 1"), TK_PG_OK); /* the connection lives */
        }
}

static void a_transaction_is_all_or_nothing(void **state)
{
        NEEDS_DATABASE;
        static const struct tk_sql count = {.name = "t.count", .columns = 1, .text = "SELECT count(*) FROM kept"};
        assert_int_equal(outcome("CREATE TEMP TABLE kept (n int)"), 0);
        assert_int_equal(tk_pg_begin(pg, &err), 0);
        assert_int_equal(outcome("INSERT INTO kept VALUES (1)"), 0);
        tk_pg_rollback(pg);
        assert_string_equal(value(&count, NULL), "0");
        assert_int_equal(tk_pg_begin(pg, &err), 0);
        assert_int_equal(outcome("INSERT INTO kept VALUES (1)"), 0);
        assert_int_equal(tk_pg_commit(pg, &err), 0);
        assert_string_equal(value(&count, NULL), "1");
}

/* Ends the session of that name from another one. */
static void end_session(const char *name)
{
        struct tk_pg *other;
        char text[256];
        assert_int_equal(tk_pg_open(&(struct tk_pg_conf){.url = url, .application_name = "executioner"}, &other, &err), 0);
        (void)snprintf(text, sizeof text,
                       "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = '%s'",
                       name);
        assert_int_equal(tk_pg_script(other, text, &err), 0);
        tk_pg_close(other);
}

static void a_session_that_was_ended_is_noticed_before_it_is_used(void **state)
{
        NEEDS_DATABASE;
        assert_true(tk_pg_usable(pg));
        end_session("conn_test");
        assert_false(tk_pg_usable(pg));
        assert_int_equal(outcome("SELECT 1"), TK_PG_E_DOWN);
        assert_false(tk_pg_alive(pg));
}

static void a_lazy_connection_comes_back_by_itself(void **state)
{
        NEEDS_DATABASE;
        struct tk_pg_lazy lazy = {.conf = {.url = url, .application_name = "lazy_test"}};
        struct tk_pg *first, *second;
        assert_int_equal(tk_pg_lazy_get(&lazy, &first, &err), 0);
        assert_int_equal(tk_pg_lazy_get(&lazy, &second, &err), 0);
        assert_ptr_equal(first, second);
        end_session("lazy_test");
        assert_int_equal(tk_pg_lazy_get(&lazy, &second, &err), 0);
        assert_int_equal(tk_pg_script(second, "SELECT 1", &err), 0);
        tk_pg_lazy_close(&lazy);
        lazy = (struct tk_pg_lazy){.conf = {.url = "postgresql://127.0.0.1:1/x", .application_name = "lazy_test"}};
        assert_int_equal(tk_pg_lazy_get(&lazy, &first, &err), TK_PG_E_DOWN);
        assert_int_equal(tk_pg_lazy_get(&lazy, &first, &err), TK_PG_E_DOWN);
        assert_non_null(strstr(tk_err_text(&err), "a moment ago")); /* not tried again at once */
        assert_int_equal(lazy.failures, 1);
}

static int refuse(struct tk_pg *conn, struct tk_err *why)
{
        (void)conn;
        return TK_ERR(why, 1, "not this one");
}

static void a_connection_that_fails_its_check_is_not_opened(void **state)
{
        NEEDS_DATABASE;
        struct tk_pg *other = NULL;
        assert_int_equal(tk_pg_open(&(struct tk_pg_conf){.url = url, .check = refuse}, &other, &err), TK_PG_E_SERVER);
        assert_null(other);
        assert_string_equal(tk_err_text(&err), "not this one");
        assert_int_equal(tk_pg_open(&(struct tk_pg_conf){.url = "nonsense://x"}, &other, &err), TK_PG_E_DOWN);
}

static struct {
        struct tk_lock lock;
        struct tk_cond changed;
        unsigned connected, heard;
        char payload[32];
} ear;

static void heard(void *user, const char *channel, const char *payload)
{
        (void)user;
        TK_LOCKED(&ear.lock);
        if (!payload) {
                ear.connected++;
        } else if (tk_streq(channel, "conn_test")) {
                ear.heard++;
                (void)tk_str_copy(ear.payload, sizeof ear.payload, payload);
        }
        tk_cond_broadcast(&ear.changed);
}

static void wait_for(const unsigned *counter, unsigned at_least)
{
        int64_t deadline_ns = tk_time_mono_ns() + 30 * TK_NS_PER_S;
        TK_LOCKED(&ear.lock);
        while (*counter < at_least)
                assert_true(tk_cond_wait(&ear.changed, &ear.lock, deadline_ns));
}

static void a_listener_hears_and_says_when_it_may_have_missed_something(void **state)
{
        NEEDS_DATABASE;
        tk_lock_init(&ear.lock, "ear");
        tk_cond_init(&ear.changed);
        struct tk_pg_listener *listener = tk_pg_listener_new(url, (const char *const[]){"conn_test", NULL}, heard, NULL);
        wait_for(&ear.connected, 1);
        assert_int_equal(outcome("NOTIFY conn_test, 'hello'"), 0);
        wait_for(&ear.heard, 1);
        assert_string_equal(ear.payload, "hello");
        end_session("tasker-listen");
        wait_for(&ear.connected, 2);
        assert_int_equal(outcome("NOTIFY conn_test, 'again'"), 0);
        wait_for(&ear.heard, 2);
        assert_string_equal(ear.payload, "again");
        tk_pg_listener_free(listener);
        tk_cond_deinit(&ear.changed);
        tk_lock_deinit(&ear.lock);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(every_type_there_and_back),
                TEST(arrays_keep_their_order_and_their_nulls),
                TEST(each_error_has_its_outcome),
                TEST(a_transaction_is_all_or_nothing),
                TEST(a_session_that_was_ended_is_noticed_before_it_is_used),
                TEST(a_lazy_connection_comes_back_by_itself),
                TEST(a_connection_that_fails_its_check_is_not_opened),
                TEST(a_listener_hears_and_says_when_it_may_have_missed_something),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
