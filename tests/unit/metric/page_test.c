/* SPDX-License-Identifier: MIT */
/* metric/page: actors and the process. */
#include "base/mem.h"
#include "base/time.h"
#include "metric/page.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int give_back(void *self, struct tk_list *msgs, unsigned n)
{
        (void)self, (void)n;
        for (struct tk_list *node; (node = tk_list_pop(msgs));)
                tk_msg_done(tk_list_entry(node, struct tk_msg, link), 0);
        return 0;
}

static double sample(const struct tk_buf *buf, const char *name)
{
        const char *at = strstr(tk_buf_str(buf), name);

        if (!at)
                fail_msg("no sample %s", name);
        return strtod(at + strlen(name), NULL);
}

static void actors(void **state)
{
        static const struct tk_actor_type type = {
                .name = "intake", .mailbox_max = 8, .batch_max = 1, .handle = give_back};
        struct tk_actor *actor = tk_actor_new(&type, NULL, 0, 0);
        TK_AUTOBUF struct tk_buf buf;
        struct tk_msg msg = {0};
        (void)state;

        tk_buf_init(&buf, 100000);
        for (int i = 0; i < 3; i++)
                assert_int_equal(tk_actor_ask(actor, &msg), 0);
        tk_metrics_text_actors(&buf, &actor, 1);
        assert_true(sample(&buf, "\ntasker_mailbox_capacity{actor=\"intake\"} ") == 8);
        assert_true(sample(&buf, "\ntasker_mailbox_sent_total{actor=\"intake\"} ") == 3);
        assert_true(sample(&buf, "\ntasker_actor_ready{actor=\"intake\"} ") == 1);
        assert_true(sample(&buf, "\ntasker_mailbox_wait_seconds_total{actor=\"intake\"} ") > 0);
        assert_non_null(strstr(tk_buf_str(&buf), "# TYPE tasker_mailbox_depth gauge\n"));
        tk_actor_stop_free(actor);
}

static void process(void **state)
{
        TK_AUTOBUF struct tk_buf buf, later;
        double now = (double)tk_time_wall_ns() / 1e9, fds;
        int fd;
        (void)state;

        tk_buf_init(&buf, 100000);
        tk_buf_init(&later, 100000);
        tk_metrics_text_process(&buf, "tasker-test", "1.2.3");
        assert_true(sample(&buf, "\nprocess_resident_memory_bytes ") > 100000);
        assert_true(sample(&buf, "\nprocess_cpu_seconds_total ") >= 0);
        assert_true(sample(&buf, "\nprocess_start_time_seconds ") > now - 3600);
        assert_true(sample(&buf, "\nprocess_start_time_seconds ") < now + 60);
        assert_non_null(strstr(tk_buf_str(&buf),
                               "\ntasker_build_info{service=\"tasker-test\",version=\"1.2.3\"} 1\n"));
        fds = sample(&buf, "\nprocess_open_fds ");
        fd = dup(0);
        tk_metrics_text_process(&later, "tasker-test", "1.2.3");
        assert_true(sample(&later, "\nprocess_open_fds ") == fds + 1);
        close(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(actors),
                cmocka_unit_test(process),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
