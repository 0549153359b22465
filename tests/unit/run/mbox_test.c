/* SPDX-License-Identifier: MIT */
/* run/mbox: order, bounds, waking, closing, many senders and receivers. */
#include "base/mem.h"
#include "base/time.h"
#include "run/mbox.h"
#include "run/thread.h"
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct number {
        struct tk_msg msg;
        int sender, value;
};

static struct number *number_new(int sender, int value)
{
        struct number *number = TK_NEW(struct number);

        number->sender = sender;
        number->value = value;
        return number;
}

static int value_pop(struct tk_list *msgs)
{
        struct number *number = tk_container_of(msgs->next, struct number, msg.link);
        int value = number->value;

        assert_false(tk_list_empty(msgs));
        tk_msg_done(&number->msg, 0);
        return value;
}

static void order_bounds_and_numbers(void **state)
{
        struct tk_mbox *mbox = tk_mbox_new("test", 3);
        struct number *extra = number_new(0, 3);
        struct tk_mbox_stats stats;
        struct tk_list msgs;
        (void)state;

        for (int i = 0; i < 3; i++)
                assert_int_equal(tk_mbox_post(mbox, &number_new(0, i)->msg), TK_MBOX_OK);
        assert_int_equal(tk_mbox_post(mbox, &extra->msg), TK_MBOX_E_FULL);
        assert_int_equal(tk_mbox_post_always(mbox, &extra->msg), TK_MBOX_OK);
        assert_int_equal(tk_mbox_receive(mbox, &msgs, 2, 0), 2);
        assert_int_equal(value_pop(&msgs), 0);
        assert_int_equal(value_pop(&msgs), 1);
        assert_true(tk_list_empty(&msgs));
        assert_int_equal(tk_mbox_receive(mbox, &msgs, 10, TK_TIME_NEVER), 2);
        assert_int_equal(value_pop(&msgs), 2);
        assert_int_equal(value_pop(&msgs), 3);
        assert_int_equal(tk_mbox_receive(mbox, &msgs, 10, 0), 0);
        tk_mbox_stats(mbox, &stats);
        assert_int_equal(stats.capacity, 3);
        assert_int_equal(stats.depth, 0);
        assert_int_equal(stats.high_water, 4);
        assert_int_equal(stats.sends, 4);
        assert_int_equal(stats.received, 4);
        assert_int_equal(stats.fulls, 1);
        assert_null(tk_mbox_free(mbox));
}

static void wake_and_close(void **state)
{
        struct tk_mbox *mbox = tk_mbox_new("test", 3);
        struct number *number = number_new(0, 1);
        struct tk_list msgs;
        (void)state;

        tk_mbox_wake(mbox);
        assert_int_equal(tk_mbox_receive(mbox, &msgs, 1, TK_TIME_NEVER), 0); /* returns: it was woken */
        assert_int_equal(tk_mbox_post(mbox, &number->msg), 0);
        assert_false(tk_mbox_closed(mbox));
        tk_mbox_close(mbox);
        assert_true(tk_mbox_closed(mbox));
        assert_int_equal(tk_mbox_receive(mbox, &msgs, 1, TK_TIME_NEVER), 1);
        assert_int_equal(tk_mbox_post(mbox, &number->msg), TK_MBOX_E_CLOSED);
        assert_int_equal(tk_mbox_post_always(mbox, &number->msg), TK_MBOX_E_CLOSED);
        assert_int_equal(tk_mbox_receive(mbox, &msgs, 1, TK_TIME_NEVER), 0);
        tk_free(number);
        tk_mbox_free(mbox);
}

static int given_back_status;
static void remember(struct tk_msg *msg)
{
        given_back_status = msg->status;
        assert_true(tk_list_empty(&msg->link));
}

static void done_takes_the_message_off_its_list(void **state)
{
        struct tk_list msgs = TK_LIST_INIT(msgs);
        struct tk_msg msg = {.done = remember}, loose = {.done = remember};
        (void)state;

        tk_list_append(&msgs, &msg.link);
        tk_msg_done(&msg, 7);
        assert_int_equal(given_back_status, 7);
        assert_true(tk_list_empty(&msgs));
        tk_list_init(&loose.link);
        tk_msg_done(&loose, -5);
        assert_int_equal(given_back_status, -5);
}

enum { SENDERS = 4, RECEIVERS = 2, EACH = 5000 };
struct peer {
        struct tk_mbox *mbox;
        int id;
        int64_t sum;
        unsigned count;
        bool in_order;
};

static void send_all(void *arg)
{
        struct peer *peer = arg;

        for (int i = 0; i < EACH; i++) {
                struct number *number = number_new(peer->id, i);
                while (tk_mbox_post(peer->mbox, &number->msg) == TK_MBOX_E_FULL)
                        sched_yield();
        }
}

static void receive_all(void *arg)
{
        struct peer *peer = arg;
        int last[SENDERS];
        struct tk_list msgs;

        for (int i = 0; i < SENDERS; i++)
                last[i] = -1;
        peer->in_order = true;
        while (tk_mbox_receive(peer->mbox, &msgs, 7, TK_TIME_NEVER)) {
                tk_list_each(node, &msgs)
                {
                        struct number *number = tk_container_of(node, struct number, msg.link);
                        peer->sum += number->value;
                        peer->count++;
                        peer->in_order &= number->value > last[number->sender];
                        last[number->sender] = number->value;
                        tk_msg_done(&number->msg, 0);
                }
        }
}

static void many_senders_and_receivers(void **state)
{
        struct tk_mbox *mbox = tk_mbox_new("test", 50);
        struct tk_thread senders[SENDERS], receivers[RECEIVERS];
        struct peer peers[SENDERS + RECEIVERS] = {0};
        int64_t sum = 0;
        unsigned count = 0;
        (void)state;

        for (int i = 0; i < SENDERS + RECEIVERS; i++) {
                peers[i].mbox = mbox;
                peers[i].id = i;
        }
        for (int i = 0; i < RECEIVERS; i++)
                tk_thread_start(&receivers[i], "receiver", receive_all, &peers[SENDERS + i]);
        for (int i = 0; i < SENDERS; i++)
                tk_thread_start(&senders[i], "sender", send_all, &peers[i]);
        for (int i = 0; i < SENDERS; i++)
                tk_thread_join(&senders[i]);
        tk_mbox_close(mbox);
        for (int i = 0; i < RECEIVERS; i++) {
                tk_thread_join(&receivers[i]);
                sum += peers[SENDERS + i].sum;
                count += peers[SENDERS + i].count;
                assert_true(peers[SENDERS + i].in_order);
        }
        assert_int_equal(count, SENDERS * EACH);
        assert_int_equal(sum, (int64_t)SENDERS * EACH * (EACH - 1) / 2);
        tk_mbox_free(mbox);
}

enum { BARRIER = 6 };

struct barrier {
        struct tk_mbox *mbox;
        pthread_barrier_t all_inside;
};

/* Keeps its message until every receiver has one: none may sleep while messages wait. */
static void hold_one(void *arg)
{
        struct barrier *b = arg;
        struct tk_list msgs;
        assert_int_equal(tk_mbox_receive(b->mbox, &msgs, 1, TK_TIME_NEVER), 1);
        (void)pthread_barrier_wait(&b->all_inside);
        value_pop(&msgs);
}

static void sleepers_are_called_one_by_one_until_all_messages_are_taken(void **state)
{
        (void)state;
        for (int round = 0; round < 50; round++) {
                struct barrier b = {.mbox = tk_mbox_new("test", BARRIER)};
                struct tk_thread receivers[BARRIER];
                assert_int_equal(pthread_barrier_init(&b.all_inside, NULL, BARRIER), 0);
                for (int i = 0; i < BARRIER; i++)
                        tk_thread_start(&receivers[i], "receiver", hold_one, &b);
                for (int i = 0; i < BARRIER; i++)
                        assert_int_equal(tk_mbox_post(b.mbox, &number_new(0, i)->msg), TK_MBOX_OK);
                for (int i = 0; i < BARRIER; i++)
                        tk_thread_join(&receivers[i]);
                (void)pthread_barrier_destroy(&b.all_inside);
                tk_mbox_free(b.mbox);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(order_bounds_and_numbers),
                cmocka_unit_test(wake_and_close),
                cmocka_unit_test(done_takes_the_message_off_its_list),
                cmocka_unit_test(many_senders_and_receivers),
                cmocka_unit_test(sleepers_are_called_one_by_one_until_all_messages_are_taken),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
