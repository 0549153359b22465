/* SPDX-License-Identifier: MIT */
/* Who may have a part in domain events, and who is refused at start with what message. */
#include "base/mem.h"
#include "worker/handler/parties.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int publisher(struct tkw_context *ctx, const struct tkw_occasion *occasion, struct tkw_result *payload)
{
        (void)ctx;
        (void)occasion;
        (void)payload;
        return 0;
}

static int subscriber(struct tkw_event *event, void *user)
{
        (void)event;
        (void)user;
        return 0;
}

static const struct tkw_publisher good_publishers[] = {{"A::B", publisher}, {"C", publisher}};

static void test_names(void **state)
{
        static const struct tkw_subscriber subscribers[] = {{"one", "a.*  b.c", subscriber, NULL}, {"two", " * ", subscriber, NULL}};
        static const struct tkw_events events = {TKW_ABI, good_publishers, 2, subscribers, 2};
        struct work_parties *parties = work_parties_new();
        struct tk_err err = {0};
        size_t n;
        (void)state;
        assert_int_equal(work_parties_add(parties, &events, "mine.so", &err), 0);
        assert_ptr_equal(work_parties_publisher(parties, "A::B"), &good_publishers[0]);
        assert_null(work_parties_publisher(parties, "B"));
        assert_null(work_parties_publisher(parties, NULL));
        const struct work_subscriber *list = work_parties_subscribers(parties, &n);
        assert_int_equal(n, 2);
        assert_int_equal(list[0].patterns_n, 2);
        assert_string_equal(list[0].patterns[0], "a.*");
        assert_string_equal(list[0].patterns[1], "b.c");
        assert_string_equal(list[1].patterns[0], "*");
        char *texts[] = {(char[]){"test.**"}};
        assert_int_equal(work_parties_add_log(parties, &(struct tk_conf_list){texts, 1}, &err), 0);
        work_parties_subscribers(parties, &n);
        assert_int_equal(n, 3);
        work_parties_free(parties);
}

static void test_what_is_refused(void **state)
{
        static const struct tkw_publisher nameless[] = {{"", publisher}}, twice[] = {{"A", publisher}, {"A", publisher}};
        static const struct tkw_subscriber bad_pattern[] = {{"s", "a.* A.b", subscriber, NULL}}, no_pattern[] = {{"s", "  ", subscriber, NULL}},
                                           no_function[] = {{"s", "a.b", NULL, NULL}},
                                           again[] = {{"s", "a.b", subscriber, NULL}, {"s", "c.d", subscriber, NULL}};
        static const struct {
                struct tkw_events events;
                const char *says;
        } rows[] = {
                {{.abi = 9}, "m.so: its events are made for version 9 of the handler interface, this worker has 1"},
                {{.abi = TKW_ABI, .publishers = nameless, .publishers_n = 1}, "m.so: a publisher needs a name and a function"},
                {{.abi = TKW_ABI, .publishers = twice, .publishers_n = 2}, "m.so: publisher \"A\" is registered already"},
                {{.abi = TKW_ABI, .subscribers = bad_pattern, .subscribers_n = 1},
                 "m.so: subscriber \"s\" may have up to 32 patterns of segments in lower case, '*' or (at most two) '**', joined by dots; "
                 "found 'A.b'"},
                {{.abi = TKW_ABI, .subscribers = no_pattern, .subscribers_n = 1}, "m.so: subscriber \"s\" has no pattern"},
                {{.abi = TKW_ABI, .subscribers = no_function, .subscribers_n = 1}, "m.so: subscriber \"s\" has no function"},
                {{.abi = TKW_ABI, .subscribers = again, .subscribers_n = 2}, "m.so: subscriber \"s\" is registered already"},
        };
        (void)state;
        for (size_t i = 0; i < tk_countof(rows); i++) {
                struct work_parties *parties = work_parties_new();
                struct tk_err err = {0};
                assert_true(work_parties_add(parties, &rows[i].events, "m.so", &err) < 0);
                assert_string_equal(tk_err_text(&err), rows[i].says);
                work_parties_free(parties);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_what_is_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
