/* SPDX-License-Identifier: MIT */
/* The queue without a database, through the same table of functions: what is visible, since when, who is told. */
#include "base/time.h"
#include "queue/queue.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void visible_and_hidden(void **state)
{
        (void)state;
        struct tk_queue *queue = tk_queue_memory_new();
        int64_t now_ns = tk_time_wall_ns(), soon_ns = now_ns + 10 * TK_NS_PER_S, later_ns = now_ns + 20 * TK_NS_PER_S;
        struct tk_queue_state states[] = {{.ns = "none", .visible = true, .waiting = 7},
                                          {.ns = "now"},
                                          {.ns = "hidden"},
                                          {.ns = "both"}};
        tk_queue_memory_send(queue, "now", now_ns);
        tk_queue_memory_send(queue, "hidden", later_ns);
        tk_queue_memory_send(queue, "hidden", soon_ns);
        tk_queue_memory_send(queue, "both", soon_ns);
        tk_queue_memory_send(queue, "both", now_ns);
        assert_int_equal(queue->ops->poll(queue, states, 4, NULL), 0);
        assert_false(states[0].visible);
        assert_int_equal(states[0].waiting, 0);
        assert_true(states[1].visible);
        assert_int_equal(states[1].oldest_ns, now_ns);
        assert_false(states[2].visible);
        assert_int_equal(states[2].waiting, 0);
        assert_true(states[3].visible);
        assert_int_equal(states[3].waiting, 1);
        assert_null(tk_queue_free(queue));
        assert_null(tk_queue_free(NULL));
}

static void hints_are_counted_by_namespace(void **state)
{
        (void)state;
        struct tk_queue *queue = tk_queue_memory_new();
        queue->ops->hint(queue, "a");
        queue->ops->hint(queue, "b");
        queue->ops->hint(queue, "a");
        assert_int_equal(tk_queue_memory_hints(queue, "a"), 2);
        assert_int_equal(tk_queue_memory_hints(queue, "b"), 1);
        assert_int_equal(tk_queue_memory_hints(queue, "c"), 0);
        assert_string_equal(queue->ops->name, "memory");
        tk_queue_free(queue);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(visible_and_hidden),
                cmocka_unit_test(hints_are_counted_by_namespace),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
