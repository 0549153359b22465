/* SPDX-License-Identifier: MIT */
/* Redis as a cache: values with their end, whispers, and a breaker that answers at once while it is away. Needs a Redis:
 * tests/wire/test_adapters.py starts one and names it in TASKER_TEST_REDIS_URL; without it most tests are skipped. */
#include "base/mem.h"
#include "base/time.h"
#include "kv/kv.h"
#include "run/lock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define NOWHERE "redis://127.0.0.1:1"

static const char *url;

static struct tk_kv *open_kv(void)
{
        return tk_kv_new(&(struct tk_kv_conf){.url = url, .timeout_ns = 5 * TK_NS_PER_S});
}

#define NEEDS_REDIS                                                                                           \
        (void)state;                                                                                          \
        if (!(url = getenv("TASKER_TEST_REDIS_URL")))                                                         \
        skip()

static void values_there_and_back(void **state)
{
        NEEDS_REDIS;
        struct tk_kv *kv = open_kv();
        TK_AUTOBUF struct tk_buf value;
        tk_buf_init(&value, 1 << 20);
        assert_int_equal(tk_kv_ping(kv), TK_KV_OK);
        assert_int_equal(tk_kv_get(kv, "kv_test:none", &value), TK_KV_E_ABSENT);
        assert_int_equal(tk_kv_set(kv, "kv_test:a", "\0b\xff", 3, 60000), TK_KV_OK);
        assert_int_equal(tk_kv_get(kv, "kv_test:a", &value), TK_KV_OK);
        assert_int_equal(value.len, 3);
        assert_memory_equal(value.data, "\0b\xff", 3);
        assert_int_equal(tk_kv_del(kv, "kv_test:a"), TK_KV_OK);
        tk_buf_reset(&value);
        assert_int_equal(tk_kv_get(kv, "kv_test:a", &value), TK_KV_E_ABSENT);
        assert_int_equal(value.len, 0);
        tk_kv_free(kv);
}

static void a_value_ends(void **state)
{
        NEEDS_REDIS;
        struct tk_kv *kv = open_kv();
        TK_AUTOBUF struct tk_buf value;
        tk_buf_init(&value, 1024);
        int64_t deadline_ns = tk_time_mono_ns() + 20 * TK_NS_PER_S;
        assert_int_equal(tk_kv_set(kv, "kv_test:short", "x", 1, 20), TK_KV_OK);
        while (tk_kv_get(kv, "kv_test:short", &value) == TK_KV_OK)
                assert_true(tk_time_mono_ns() < deadline_ns);
        assert_int_equal(tk_kv_get(kv, "kv_test:short", &value), TK_KV_E_ABSENT);
        tk_kv_free(kv);
}

static void the_breaker_opens(void **state)
{
        (void)state;
        struct tk_kv *kv = tk_kv_new(&(struct tk_kv_conf){.url = NOWHERE, .failures = 3});
        for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(tk_kv_breaker(kv), TK_KV_CLOSED);
                assert_int_equal(tk_kv_ping(kv), TK_KV_E_DOWN);
        }
        assert_int_equal(tk_kv_breaker(kv), TK_KV_OPEN);
        assert_string_equal(tk_kv_breaker_name(TK_KV_OPEN), "open");
        assert_int_equal(tk_kv_ping(kv), TK_KV_E_DOWN); /* at once now */
        assert_int_equal(tk_kv_breaker(kv), TK_KV_OPEN);
        tk_kv_free(kv);
}

static void no_redis_is_always_down(void **state)
{
        (void)state;
        struct tk_kv *kv = tk_kv_new(&(struct tk_kv_conf){.url = ""});
        assert_int_equal(tk_kv_ping(kv), TK_KV_E_DOWN);
        assert_int_equal(tk_kv_set(kv, "a", "b", 1, 1000), TK_KV_E_DOWN);
        tk_kv_free(kv);
}

static struct {
        struct tk_lock lock;
        struct tk_cond changed;
        unsigned connected, heard;
        char last[32];
} ear;

static void heard(void *user, const char *channel, const void *data, size_t len)
{
        (void)user;
        (void)channel;
        TK_LOCKED(&ear.lock);
        if (!data)
                ear.connected++;
        else if (len < sizeof ear.last) {
                memcpy(ear.last, data, len);
                ear.last[len] = '\0';
                ear.heard++;
        }
        tk_cond_broadcast(&ear.changed);
}

static void whispers_are_heard(void **state)
{
        NEEDS_REDIS;
        int64_t deadline_ns = tk_time_mono_ns() + 30 * TK_NS_PER_S;
        struct tk_kv *kv = open_kv();
        tk_lock_init(&ear.lock, "ear");
        tk_cond_init(&ear.changed);
        struct tk_kv_subscriber *sub =
                tk_kv_subscriber_new(&(struct tk_kv_conf){.url = url}, (const char *const[]){"kv_test", NULL}, heard, NULL);
        tk_lock_take(&ear.lock);
        while (!ear.connected)
                assert_true(tk_cond_wait(&ear.changed, &ear.lock, deadline_ns));
        tk_lock_give(&ear.lock);
        assert_int_equal(tk_kv_publish(kv, "kv_test", "hello", 5), TK_KV_OK);
        assert_int_equal(tk_kv_publish(kv, "kv_test_of_others", "not me", 6), TK_KV_OK);
        assert_int_equal(tk_kv_publish(kv, "kv_test", "again", 5), TK_KV_OK);
        tk_lock_take(&ear.lock);
        while (ear.heard < 2)
                assert_true(tk_cond_wait(&ear.changed, &ear.lock, deadline_ns));
        assert_string_equal(ear.last, "again");
        tk_lock_give(&ear.lock);
        assert_true(tk_kv_subscriber_connected(sub));
        tk_kv_subscriber_free(sub);
        tk_kv_free(kv);
        tk_cond_deinit(&ear.changed);
        tk_lock_deinit(&ear.lock);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(values_there_and_back),
                cmocka_unit_test(a_value_ends),
                cmocka_unit_test(the_breaker_opens),
                cmocka_unit_test(no_redis_is_always_down),
                cmocka_unit_test(whispers_are_heard),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
