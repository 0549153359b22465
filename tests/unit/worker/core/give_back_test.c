/* SPDX-License-Identifier: MIT */
/* What cannot begin goes back: once, never after its start, without credit for more, and whatever breaks meanwhile. */
#include "ledger_use.h"

static int64_t took_ns;
static struct work_events *events;

/* What the link's next frame says: tokens of what it holds and of what goes back, each added up. */
static void expect_told(struct work_ledger *l, unsigned link, int64_t want_held, int64_t want_returned, bool want_recall)
{
        struct work_untold told;
        int64_t held = 0, returned = 0;
        bool any = work_ledger_untold(l, link, &told);
        for (size_t i = 0; i < told.held_n; i++)
                held += told.held[i].token;
        for (size_t i = 0; i < told.returned_n; i++)
                returned += told.returned[i].token;
        tk_free(told.held);
        assert_int_equal(held, want_held);
        assert_int_equal(returned, want_returned);
        assert_int_equal(told.recall, want_recall);
        assert_int_equal(any, want_held || want_returned || want_recall);
}

static void wait_for_a_permit(struct work_ledger *l, unsigned link, uint8_t n, int want)
{
        struct work_taken taken = step(n);
        assert_int_equal(work_ledger_take(l, link, &taken), want);
}

/* Everything that waits, however short. */
static unsigned give_back(struct work_ledger *l)
{
        int64_t oldest_ns;
        unsigned n = work_ledger_give_back(l, TK_TIME_NEVER, &oldest_ns);
        if (n)
                assert_int_equal(oldest_ns, TK_TIME_NEVER);
        return n;
}

/* A worker with a handler on every permit and all its credit granted. */
static struct work_ledger *busy(bool takes_back)
{
        struct work_ledger *l = granted(takes_back);
        for (uint8_t i = 1; i <= PERMITS; i++)
                take(l, 0, i);
        return l;
}

static void what_waits_too_long_is_given_back_and_never_begins(void **state)
{
        struct work_ledger *l = busy(true);
        struct work_taken seven = step(7), eight = step(8);
        struct work_ledger_numbers numbers;
        int64_t oldest_ns, before_ns = tk_time_mono_ns();
        (void)state;
        wait_for_a_permit(l, 0, 7, WORK_TAKE_WAITS);
        wait_for_a_permit(l, 0, 8, WORK_TAKE_OK); /* somebody looks already */
        assert_int_equal(work_ledger_give_back(l, before_ns - 1, &oldest_ns), 0);
        assert_in_range(oldest_ns, before_ns, tk_time_mono_ns());
        assert_int_equal(work_ledger_start(l, &seven.key), WORK_START_OK); /* whoever comes first has it */
        assert_int_equal(give_back(l), 1);
        assert_int_equal(work_ledger_start(l, &eight.key), WORK_START_E_DONE);
        assert_false(work_ledger_open(l, &eight.key));
        expect_told(l, 0, 0, 8, true);
        expect_told(l, 0, 0, 0, false);
        assert_false(work_ledger_acked(l, 0));
        work_ledger_numbers(l, &numbers);
        assert_int_equal(numbers.queued, 0);
        assert_int_equal(numbers.unacknowledged, 0);
        assert_false(work_ledger_ack(l, &eight.key, &took_ns, &events));
        assert_int_equal(took_ns, -1);
        assert_true(work_ledger_acked(l, 0));
        assert_int_equal(give_back(l), 0);
        work_ledger_free(l);
}

static void nothing_is_given_back_while_a_permit_is_free(void **state)
{
        struct work_ledger *l = work_ledger_new(LINKS, PERMITS, TOTAL, UNACKED_MAX);
        int64_t oldest_ns;
        (void)state;
        work_ledger_up(l, 0, true);
        wait_for_a_permit(l, 0, 1, WORK_TAKE_OK);
        assert_int_equal(work_ledger_give_back(l, TK_TIME_NEVER, &oldest_ns), 0);
        assert_true(oldest_ns < TK_TIME_NEVER);
        work_ledger_free(l);
}

static void what_was_cancelled_is_answered_and_not_given_back(void **state)
{
        struct work_ledger *l = busy(true);
        struct work_taken seven = step(7);
        (void)state;
        wait_for_a_permit(l, 0, 7, WORK_TAKE_WAITS);
        work_ledger_cancel(l, &seven.key);
        assert_int_equal(give_back(l), 0);
        assert_int_equal(work_ledger_start(l, &seven.key), WORK_START_E_CANCELLED);
        work_ledger_free(l);
}

static void after_it_there_is_no_credit_until_a_handler_ends(void **state)
{
        struct work_ledger *l = busy(true);
        struct work_ledger_numbers numbers;
        (void)state;
        wait_for_a_permit(l, 0, 7, WORK_TAKE_WAITS);
        assert_int_equal(give_back(l), 1);
        assert_int_equal(credit(l, 0), 0); /* though there is one open less */
        work_ledger_up(l, 1, true);
        assert_int_equal(credit(l, 1), 0); /* nor by another link */
        work_ledger_down(l, 1);
        expect_told(l, 0, 0, 7, true);
        work_ledger_recalled(l, 0, 2); /* one of three was on its way */
        work_ledger_numbers(l, &numbers);
        assert_int_equal(numbers.credit, 1);
        work_ledger_set_total(l, PERMITS);
        assert_true(done(l, 1, "one;", 0));
        expect_collect(l, 0, "one;", 0); /* for that one */
        assert_true(done(l, 2, "two;", 0));
        expect_collect(l, 0, "two;", 1);
        work_ledger_recalled(l, 0, 100); /* more than there is */
        work_ledger_numbers(l, &numbers);
        assert_int_equal(numbers.credit, 0);
        work_ledger_free(l);
}

static void an_overrun_gives_credit_when_it_returns(void **state)
{
        struct work_ledger *l = busy(true);
        struct work_taken one = step(1);
        struct tk_buf fields;
        int link;
        (void)state;
        wait_for_a_permit(l, 0, 7, WORK_TAKE_WAITS);
        assert_int_equal(give_back(l), 1);
        work_ledger_recalled(l, 0, TOTAL);
        tk_buf_init(&fields, 64);
        assert_true(work_ledger_done(l, &one.key, &fields, NULL, true, &link));
        assert_int_equal(credit(l, 0), 0); /* its permit is still taken */
        work_ledger_returned(l);
        assert_int_equal(credit(l, 0), TOTAL - PERMITS + 1);
        work_ledger_free(l);
}

static void it_is_offered_to_another_link_until_it_is_acknowledged(void **state)
{
        struct work_ledger *l = busy(true);
        struct work_taken seven = step(7);
        size_t n;
        int64_t running = 0;
        (void)state;
        wait_for_a_permit(l, 0, 7, WORK_TAKE_WAITS);
        assert_int_equal(give_back(l), 1);
        expect_told(l, 0, 0, 7, true);
        work_ledger_down(l, 0); /* before the ack, with nobody else up */
        struct work_taken *held = work_ledger_adopt(l, 1, &n);
        for (size_t i = 0; i < n; i++)
                running += held[i].token;
        tk_free(held);
        assert_int_equal(running, 1 + 2 + 3 + 4 + 5 + 6); /* the Hello does not know yet whether it is taken back there */
        expect_told(l, 1, 0, 0, false);
        work_ledger_up(l, 1, true);
        expect_told(l, 1, 7, 7, false); /* held, so that it may be returned */
        work_ledger_up(l, 0, true);
        work_ledger_down(l, 1);
        expect_told(l, 0, 1 + 2 + 3 + 4 + 5 + 6 + 7, 7, false);
        (void)work_ledger_ack(l, &seven.key, &took_ns, &events);
        work_ledger_down(l, 0);
        held = work_ledger_adopt(l, 0, &n);
        assert_int_equal(n, PERMITS);
        tk_free(held);
        work_ledger_free(l);
}

static void an_orchestrator_that_takes_nothing_back_never_hears_of_it(void **state)
{
        struct work_ledger *l = busy(false);
        size_t n;
        (void)state;
        wait_for_a_permit(l, 0, 7, WORK_TAKE_WAITS);
        assert_int_equal(give_back(l), 0);
        work_ledger_free(l);

        l = busy(true);
        wait_for_a_permit(l, 0, 7, WORK_TAKE_WAITS);
        assert_int_equal(give_back(l), 1);
        work_ledger_down(l, 0);
        tk_free(work_ledger_adopt(l, 1, &n));
        work_ledger_up(l, 1, false);
        expect_told(l, 1, 0, 0, false);
        for (uint8_t i = 1; i <= PERMITS; i++) {
                struct work_taken one = step(i);
                assert_true(done(l, i, "", 1));
                (void)work_ledger_ack(l, &one.key, &took_ns, &events);
        }
        assert_true(work_ledger_idle(l, 1)); /* it is gone */
        work_ledger_free(l);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_waits_too_long_is_given_back_and_never_begins),
                cmocka_unit_test(nothing_is_given_back_while_a_permit_is_free),
                cmocka_unit_test(what_was_cancelled_is_answered_and_not_given_back),
                cmocka_unit_test(after_it_there_is_no_credit_until_a_handler_ends),
                cmocka_unit_test(an_overrun_gives_credit_when_it_returns),
                cmocka_unit_test(it_is_offered_to_another_link_until_it_is_acknowledged),
                cmocka_unit_test(an_orchestrator_that_takes_nothing_back_never_hears_of_it),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
