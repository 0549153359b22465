/* SPDX-License-Identifier: MIT */
/* Dividing credit among namespaces: parts by weight, of which nothing is lost and nobody gets more than it wants. */
#include "model/decision.h"
#include "orchestrator/core/share.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MANY = 256, ROUNDS = 2000 };

static void expect(const unsigned (*rows)[4], size_t n, size_t first, unsigned free)
{
        struct orch_share shares[MANY];
        for (size_t i = 0; i < n; i++)
                shares[i] = (struct orch_share){.has = rows[i][0], .want = rows[i][1], .weight = rows[i][3] ? rows[i][3] : 1, .gets = 99};
        orch_share(shares, n, first, free);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(shares[i].gets, rows[i][2]);
}
#define EXPECT(first, free, ...) /* rows of {has, want, gets, weight (left out: 1)} */                \
        do {                                                                                          \
                static const unsigned rows_[][4] = {__VA_ARGS__};                                     \
                expect(rows_, sizeof rows_ / sizeof *rows_, (first), (free));                         \
        } while (0)

static void test_cases(void **state)
{
        (void)state;
        EXPECT(0, 10, {0, 256, 10});                                  /* alone: all of it */
        EXPECT(0, 10, {0, 3, 3});                                     /* but no more than it wants */
        EXPECT(0, 10, {0, 256, 5}, {0, 256, 5});                      /* equals */
        EXPECT(0, 10, {8, 256, 1}, {0, 256, 9});                      /* whoever has less gets more */
        EXPECT(0, 4, {8, 256, 0}, {0, 256, 4});
        EXPECT(0, 10, {0, 2, 2}, {0, 256, 8});                        /* what one does not want is the other's */
        EXPECT(0, 0, {0, 5, 0}, {0, 5, 0});
        EXPECT(0, 5, {0, 0, 0}, {3, 0, 0});
        EXPECT(0, 12, {0, 256, 6}, {1, 256, 5}, {5, 256, 1});         /* they rise together */
        EXPECT(0, 1, {0, 9, 1}, {0, 9, 0}, {0, 9, 0});                /* too little for all: each begins once */
        EXPECT(1, 1, {0, 9, 0}, {0, 9, 1}, {0, 9, 0});
        EXPECT(5, 2, {0, 9, 1}, {0, 9, 0}, {0, 9, 1});
        orch_share(NULL, 0, 7, 5);
}

static void test_weights(void **state)
{
        (void)state;
        EXPECT(0, 8, {0, 256, 6, 3}, {0, 256, 2, 1});
        EXPECT(0, 8, {0, 256, 2, 1}, {0, 256, 6, 3});
        EXPECT(0, 8, {0, 4, 4, 3}, {0, 256, 4, 1});              /* what it does not want is the other's */
        EXPECT(0, 4, {6, 256, 3, 3}, {2, 256, 1, 1});            /* both have their part: it goes on like that */
        EXPECT(0, 4, {6, 256, 0, 3}, {0, 256, 2, 1}, {0, 256, 2, 1});
        EXPECT(0, 2, {0, 256, 1, 1000}, {0, 256, 1, 1});         /* weight leaves nobody without any */
        EXPECT(0, 1, {1, 256, 0, 1000}, {0, 256, 1, 1});
        EXPECT(0, 3000, {0, 5000, 2997, 1000}, {0, 5000, 3, 1});
        EXPECT(0, UINT32_MAX, {UINT32_MAX / 2, UINT32_MAX, UINT32_MAX, 1000});
}

/* Nothing is lost, nobody gets more than it wants, and who got something has no more than one above anybody who wants more. */
static void test_any_numbers(void **state)
{
        (void)state;
        srand(7);
        for (unsigned round = 0; round < ROUNDS; round++) {
                struct orch_share shares[MANY];
                size_t n = 1 + (size_t)rand() % MANY;
                unsigned free = (unsigned)rand() % 5000, wanted = 0, given = 0;
                for (size_t i = 0; i < n; i++) {
                        shares[i] = (struct orch_share){.has = (unsigned)rand() % 50, .want = (unsigned)rand() % 60, .weight = 1};
                        wanted += shares[i].want;
                }
                orch_share(shares, n, round, free);
                unsigned highest = 0, lowest = UINT32_MAX;
                for (size_t i = 0; i < n; i++) {
                        unsigned level = shares[i].has + shares[i].gets;
                        assert_true(shares[i].gets <= shares[i].want);
                        given += shares[i].gets;
                        if (shares[i].gets && level > highest)
                                highest = level;
                        if (shares[i].gets < shares[i].want && level < lowest)
                                lowest = level;
                }
                assert_int_equal(given, free < wanted ? free : wanted);
                assert_true(lowest == UINT32_MAX || highest <= lowest + 1);
        }
}

/* The same as giving one after the other to whoever has least for its weight then. */
static void test_any_weights(void **state)
{
        (void)state;
        srand(8);
        for (unsigned round = 0; round < ROUNDS; round++) {
                struct orch_share shares[8], slow[8];
                size_t n = 1 + (size_t)rand() % 8;
                unsigned free = (unsigned)rand() % 300;
                for (size_t i = 0; i < n; i++)
                        slow[i] = shares[i] = (struct orch_share){.has = (unsigned)rand() % 50, .want = (unsigned)rand() % 60,
                                                                  .weight = 1 + (unsigned)rand() % (round % 2 ? 5 : TK_WEIGHT_MAX)};
                orch_share(shares, n, round, free);
                for (; free; free--) {
                        struct orch_share *least = NULL;
                        for (size_t i = 0; i < n; i++) {
                                struct orch_share *s = &slow[(round + i) % n];
                                if (s->gets < s->want && (!least || (s->has + s->gets) * least->weight < (least->has + least->gets) * s->weight))
                                        least = s;
                        }
                        if (least)
                                least->gets++;
                }
                for (size_t i = 0; i < n; i++)
                        assert_int_equal(shares[i].gets, slow[i].gets);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_weights),
                                                    cmocka_unit_test(test_any_numbers), cmocka_unit_test(test_any_weights)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
