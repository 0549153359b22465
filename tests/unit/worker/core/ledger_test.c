/* SPDX-License-Identifier: MIT */
/* Credit arithmetic, orphans, and what survives which break. */
#include "ledger_use.h"

static int64_t took_ns;
static struct work_events *events;

static void credit_is_shared_and_follows_results(void **state)
{
        struct work_ledger *l = work_ledger_new(LINKS, PERMITS, TOTAL, UNACKED_MAX);
        (void)state;
        assert_int_equal(credit(l, 0), 0); /* not up */
        work_ledger_up(l, 0, true);
        assert_int_equal(credit(l, 0), TOTAL);
        assert_int_equal(credit(l, 0), 0); /* granted already */
        take(l, 0, 1);
        take(l, 0, 2);
        assert_int_equal(credit(l, 0), 0); /* taken, not free */
        assert_true(done(l, 1, "one;", 0));
        expect_collect(l, 0, "one;", 1);
        work_ledger_up(l, 1, true);
        assert_int_equal(credit(l, 1), TOTAL / 2); /* its share, though the other still holds more */
        assert_true(done(l, 2, "two;", 0));
        expect_collect(l, 0, "two;", 0); /* the first has more than its share now */
        work_ledger_stop_credit(l);
        work_ledger_down(l, 1);
        assert_int_equal(credit(l, 0), 0);
        work_ledger_free(l);
}

static void shares_are_no_more_than_there_is(void **state)
{
        struct work_ledger *l = work_ledger_new(3, PERMITS, TOTAL, UNACKED_MAX);
        (void)state;
        for (unsigned i = 0; i < 3; i++)
                work_ledger_up(l, i, true);
        assert_int_equal(credit(l, 0), 4);
        assert_int_equal(credit(l, 1), 3);
        assert_int_equal(credit(l, 2), 3);
        work_ledger_free(l);
        l = work_ledger_new(3, 1, 1, UNACKED_MAX);
        for (unsigned i = 0; i < 3; i++)
                work_ledger_up(l, i, true);
        for (unsigned i = 0; i < 3; i++)
                assert_int_equal(credit(l, i), 1); /* each may bring one */
        work_ledger_free(l);
}

static void unacknowledged_results_stop_credit(void **state)
{
        struct work_ledger *l = granted(true);
        (void)state;
        for (uint8_t i = 1; i <= UNACKED_MAX; i++) {
                take(l, 0, i);
                assert_true(done(l, i, "r", 0));
        }
        expect_collect(l, 0, "rrrr", 0);
        struct work_taken first = step(1);
        assert_true(work_ledger_ack(l, &first.key, &took_ns, &events));
        assert_in_range(took_ns, 0, TK_NS_PER_S * 60);
        assert_false(work_ledger_ack(l, &first.key, &took_ns, &events)); /* gone */
        assert_int_equal(took_ns, -1);
        expect_collect(l, 0, "", UNACKED_MAX);
        work_ledger_free(l);
}

static void results_survive_a_break_and_leave_by_any_link(void **state)
{
        struct work_ledger *l = granted(true);
        size_t n;
        (void)state;
        take(l, 0, 1);
        take(l, 0, 2);
        assert_true(done(l, 1, "one;", 0));
        expect_collect(l, 0, "one;", 1); /* sent, but the link breaks before the ack */
        work_ledger_down(l, 0);
        assert_true(done(l, 2, "two;", WORK_NO_LINK));
        struct work_taken *held = work_ledger_adopt(l, 1, &n);
        assert_int_equal(n, 2);
        assert_int_equal(held[0].token + held[1].token, 3);
        tk_free(held);
        expect_collect(l, 1, "", 0); /* not before the welcome */
        work_ledger_up(l, 1, true);
        expect_collect(l, 1, "one;two;", TOTAL);
        struct work_taken one = step(1), two = step(2);
        assert_false(work_ledger_idle(l, 1));
        (void)work_ledger_ack(l, &one.key, &took_ns, &events);
        (void)work_ledger_ack(l, &two.key, &took_ns, &events);
        assert_true(work_ledger_idle(l, 1));
        work_ledger_free(l);
}

static void an_orphan_that_still_runs_reports_to_whoever_is_up(void **state)
{
        struct work_ledger *l = work_ledger_new(LINKS, PERMITS, TOTAL, UNACKED_MAX);
        (void)state;
        work_ledger_up(l, 0, true);
        work_ledger_up(l, 1, true);
        take(l, 0, 1);
        work_ledger_down(l, 0);
        assert_int_equal(credit(l, 1), TOTAL - 1); /* the orphan occupies one */
        assert_true(done(l, 1, "one;", 1));
        expect_collect(l, 1, "one;", 1);
        work_ledger_free(l);
}

/* Tokens of what is to be told over the link, added up. */
static int64_t untold(struct work_ledger *l, unsigned link)
{
        struct work_untold told;
        int64_t sum = 0;
        (void)work_ledger_untold(l, link, &told);
        for (size_t i = 0; i < told.held_n; i++)
                sum += told.held[i].token;
        tk_free(told.held);
        return sum;
}

static void what_runs_is_told_to_the_link_that_takes_over(void **state)
{
        struct work_ledger *l = work_ledger_new(LINKS, PERMITS, TOTAL, UNACKED_MAX);
        (void)state;
        work_ledger_up(l, 0, true);
        work_ledger_up(l, 1, true);
        take(l, 0, 1);
        take(l, 0, 2);
        take(l, 0, 4);
        assert_true(done(l, 1, "one;", 0));
        assert_int_equal(untold(l, 0), 0); /* it assigned them */
        work_ledger_hand_over(l, 0);
        assert_int_equal(untold(l, 1), 6); /* what runs, once */
        assert_int_equal(untold(l, 1), 0);
        expect_collect(l, 0, "one;", 0); /* its results still go the old way, and it gives no more credit */
        assert_false(work_ledger_acked(l, 0));
        struct work_taken one = step(1);
        (void)work_ledger_ack(l, &one.key, &took_ns, &events);
        assert_true(work_ledger_acked(l, 0));
        assert_true(work_ledger_idle(l, 0));
        take(l, 0, 8); /* was on its way */
        assert_true(work_ledger_acked(l, 0));
        assert_false(work_ledger_idle(l, 0));
        work_ledger_down(l, 0);
        assert_int_equal(untold(l, 1), 8);
        assert_true(done(l, 2, "two;", 1));
        work_ledger_down(l, 1);
        assert_int_equal(untold(l, 1), 0); /* orphans: the next Hello tells of them */
        work_ledger_free(l);
}

static void without_another_link_nothing_is_handed_over(void **state)
{
        struct work_ledger *l = work_ledger_new(LINKS, PERMITS, TOTAL, UNACKED_MAX);
        size_t n;
        (void)state;
        work_ledger_up(l, 0, true);
        take(l, 0, 1);
        work_ledger_hand_over(l, 0);
        assert_int_equal(credit(l, 0), 0);
        assert_false(work_ledger_idle(l, 0));
        work_ledger_down(l, 0);
        struct work_taken *held = work_ledger_adopt(l, 0, &n);
        assert_int_equal(n, 1);
        tk_free(held);
        work_ledger_up(l, 0, true);
        assert_int_equal(untold(l, 0), 0); /* the Hello told it */
        assert_int_equal(credit(l, 0), TOTAL - 1);
        work_ledger_free(l);
}

static void the_first_result_counts(void **state)
{
        struct work_ledger *l = work_ledger_new(LINKS, PERMITS, TOTAL, UNACKED_MAX);
        struct work_taken taken = step(1);
        struct work_ledger_numbers numbers;
        struct tk_buf fields;
        int link;
        (void)state;
        work_ledger_up(l, 0, true);
        assert_int_equal(credit(l, 0), TOTAL);
        take(l, 0, 1);
        tk_buf_init(&fields, 64);
        tk_buf_puts(&fields, "timeout;");
        assert_true(work_ledger_done(l, &taken.key, &fields, NULL, true, &link));
        expect_collect(l, 0, "timeout;", 0); /* its handler still runs: no room yet */
        assert_false(done(l, 1, "late;", 0));
        work_ledger_returned(l);
        expect_collect(l, 0, "", 1);
        work_ledger_numbers(l, &numbers);
        assert_int_equal(numbers.unacknowledged, 1);
        assert_int_equal(numbers.running, 0);
        work_ledger_free(l);
}

static void a_repeated_assignment_runs_once_and_answers_again(void **state)
{
        struct work_ledger *l = work_ledger_new(LINKS, PERMITS, TOTAL, UNACKED_MAX);
        struct work_taken taken = step(1);
        (void)state;
        work_ledger_up(l, 0, true);
        work_ledger_up(l, 1, true);
        assert_int_equal(credit(l, 0), TOTAL / 2);
        take(l, 0, 1);
        assert_true(done(l, 1, "one;", 0));
        expect_collect(l, 0, "one;", 1);
        assert_int_equal(work_ledger_take(l, 1, &taken), WORK_TAKE_E_KNOWN);
        expect_collect(l, 1, "one;", TOTAL / 2);
        work_ledger_free(l);
}

static void an_assignment_that_comes_twice_uses_credit_once(void **state)
{
        struct work_ledger *l = granted(true);
        struct work_taken taken = step(1);
        (void)state;
        take(l, 0, 1);
        assert_int_equal(work_ledger_take(l, 0, &taken), WORK_TAKE_E_KNOWN);
        assert_int_equal(credit(l, 0), 0);
        assert_true(done(l, 1, "one;", 0));
        expect_collect(l, 0, "one;", 1);
        work_ledger_free(l);
}

static void a_cancelled_step_does_not_start(void **state)
{
        struct work_ledger *l = work_ledger_new(LINKS, PERMITS, TOTAL, UNACKED_MAX);
        struct work_taken taken = step(1);
        (void)state;
        work_ledger_up(l, 0, true);
        assert_int_equal(work_ledger_take(l, 0, &taken), WORK_TAKE_OK);
        work_ledger_cancel(l, &taken.key);
        assert_int_equal(work_ledger_start(l, &taken.key), WORK_START_E_CANCELLED);
        assert_int_equal(work_ledger_start(l, &taken.key), WORK_START_E_DONE);
        work_ledger_free(l);
}

static void a_flood_is_refused(void **state)
{
        struct work_ledger *l = work_ledger_new(LINKS, PERMITS, TOTAL, UNACKED_MAX);
        unsigned taken_n = 0;
        (void)state;
        work_ledger_up(l, 0, true);
        for (unsigned i = 0; i < 100; i++) {
                struct work_taken taken = step((uint8_t)(i + 1));
                if (work_ledger_take(l, 0, &taken) != WORK_TAKE_E_FULL)
                        taken_n++;
        }
        assert_int_equal(taken_n, UNACKED_MAX + TOTAL * (LINKS + 1));
        work_ledger_free(l);
}

/* Events go out with the acknowledgement, once; those of a result that comes too late, or is never acknowledged, are dropped. */
static void events_wait_for_the_acknowledgement(void **state)
{
        struct work_ledger *l = work_ledger_new(LINKS, PERMITS, TOTAL, UNACKED_MAX);
        struct work_taken one = step(1);
        struct tk_buf fields;
        int link;
        (void)state;
        take(l, 0, 1);
        struct work_events *mine = TK_NEW(struct work_events), *late = TK_NEW(struct work_events);
        mine->told[mine->told_n++] = work_event_new("id", "a.b", "{}", 2);
        late->told[late->told_n++] = work_event_new("id", "a.b", "{}", 2);
        assert_false(work_ledger_ack(l, &one.key, &took_ns, &events));
        assert_null(events);
        tk_buf_init(&fields, 64);
        assert_true(work_ledger_done(l, &one.key, &fields, mine, false, &link));
        tk_buf_init(&fields, 64);
        assert_false(work_ledger_done(l, &one.key, &fields, late, false, &link));
        work_ledger_down(l, 0); /* it is offered again elsewhere, its events with it */
        (void)work_ledger_ack(l, &one.key, &took_ns, &events);
        assert_ptr_equal(events, mine);
        assert_string_equal(events->told[0]->name, "a.b");
        work_events_free(events);
        (void)work_ledger_ack(l, &one.key, &took_ns, &events);
        assert_null(events);
        take(l, 1, 2);
        tk_buf_init(&fields, 64);
        struct work_taken two = step(2);
        assert_true(work_ledger_done(l, &two.key, &fields, TK_NEW(struct work_events), false, &link));
        work_ledger_free(l); /* nobody acknowledged it */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(credit_is_shared_and_follows_results),
                cmocka_unit_test(shares_are_no_more_than_there_is),
                cmocka_unit_test(unacknowledged_results_stop_credit),
                cmocka_unit_test(results_survive_a_break_and_leave_by_any_link),
                cmocka_unit_test(what_runs_is_told_to_the_link_that_takes_over),
                cmocka_unit_test(without_another_link_nothing_is_handed_over),
                cmocka_unit_test(an_orphan_that_still_runs_reports_to_whoever_is_up),
                cmocka_unit_test(the_first_result_counts),
                cmocka_unit_test(a_repeated_assignment_runs_once_and_answers_again),
                cmocka_unit_test(an_assignment_that_comes_twice_uses_credit_once),
                cmocka_unit_test(a_cancelled_step_does_not_start),
                cmocka_unit_test(a_flood_is_refused),
                cmocka_unit_test(events_wait_for_the_acknowledgement),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
