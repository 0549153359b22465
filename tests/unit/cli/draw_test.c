/* SPDX-License-Identifier: MIT */
/* Graphs as people see them: golden pictures. */
#include "cli/draw.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define PARENTS(...)                                                                                         \
        .parents = (const unsigned[]){__VA_ARGS__},                                                          \
        .parents_n = sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned)
#define DONE(title, time, ...)                                                                               \
        {.name = (title), .state = "complete", .ms = (time), .attempts = 1, __VA_ARGS__}
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void expect(const struct cli_draw_step *steps, unsigned n, const struct cli_draw_style *style,
                   const char *picture)
{
        TK_AUTOBUF struct tk_buf out;

        tk_buf_init(&out, 1 << 20);
        cli_draw(steps, n, style, &out);
        if (strcmp(tk_buf_str(&out), picture))
                printf("%s", tk_buf_str(&out));
        assert_string_equal(tk_buf_str(&out), picture);
}

static const struct cli_draw_style wide = {.width = 80};

static void linear(void **state)
{
        const struct cli_draw_step steps[] = {DONE("one", 0.5, .parents_n = 0),
                                              DONE("two", 12.34, PARENTS(0)), DONE("three", 1234, PARENTS(1)),
                                              DONE("four", 83000, PARENTS(2))};

        (void)state;
        expect(steps, COUNT(steps), &wide,
               "   ✔ one\n"
               "  0.5 ms\n"
               "     │\n"
               "   ✔ two\n"
               "  12.3 ms\n"
               "     │\n"
               "  ✔ three\n"
               "  1234 ms\n"
               "     │\n"
               "  ✔ four\n"
               "1 min 23 s\n");
}

static void diamond(void **state)
{
        const struct cli_draw_step steps[] = {DONE("start", 1, .parents_n = 0), DONE("left", 2, PARENTS(0)),
                                              DONE("right", 3, PARENTS(0)), DONE("end", 4, PARENTS(1, 2))};

        (void)state;
        expect(steps, COUNT(steps), &wide,
               "     ✔ start\n"
               "     1.0 ms\n"
               "   ┌────┴───┐\n"
               "✔ left   ✔ right\n"
               "2.0 ms   3.0 ms\n"
               "   └────┬───┘\n"
               "      ✔ end\n"
               "     4.0 ms\n");
}

static void tree(void **state)
{
        const struct cli_draw_step steps[] = {
                DONE("root", 1, .parents_n = 0),     DONE("branch_left", 2, PARENTS(0)),
                DONE("branch_right", 3, PARENTS(0)), DONE("leaf_d", 4, PARENTS(1)),
                DONE("leaf_e", 5, PARENTS(1)),       DONE("leaf_f", 6, PARENTS(2)),
                DONE("leaf_g", 7, PARENTS(2)),       DONE("final", 8, PARENTS(3, 4, 5, 6))};

        (void)state;
        expect(steps, COUNT(steps), &wide,
               "                  ✔ root\n"
               "                  1.0 ms\n"
               "          ┌──────────┴──────────┐\n"
               "    ✔ branch_left        ✔ branch_right\n"
               "       2.0 ms                3.0 ms\n"
               "    ┌─────┴────┐          ┌─────┴────┐\n"
               "✔ leaf_d   ✔ leaf_e   ✔ leaf_f   ✔ leaf_g\n"
               " 4.0 ms     5.0 ms     6.0 ms     7.0 ms\n"
               "    └──────────┴─────┬────┴──────────┘\n"
               "                  ✔ final\n"
               "                  8.0 ms\n");
}

static void mixed(void **state)
{
        const struct cli_draw_step steps[] = {
                DONE("init", 1, .parents_n = 0),      DONE("process_left", 2, PARENTS(0)),
                DONE("process_right", 3, PARENTS(0)), DONE("validate", 4, PARENTS(1, 2)),
                DONE("transform", 5, PARENTS(1)),     DONE("analyze", 6, PARENTS(2)),
                DONE("finalize", 7, PARENTS(3, 4, 5))};

        (void)state;
        expect(steps, COUNT(steps), &wide,
               "                ✔ init\n"
               "                1.0 ms\n"
               "          ┌────────┴───────┐\n"
               "   ✔ process_left   ✔ process_right\n"
               "       2.0 ms           3.0 ms\n"
               "     ┌────┴───────┐ ┌──────┴───┐\n"
               "✔ transform   ✔ validate   ✔ analyze\n"
               "  5.0 ms        4.0 ms      6.0 ms\n"
               "     └─────────────┼───────────┘\n"
               "             ✔ finalize\n"
               "               7.0 ms\n");
}

/* Lines that pass a layer keep a column of their own; where two cross, the vertical one is drawn through. */
static void skipping_layers(void **state)
{
        const struct cli_draw_step steps[] = {DONE("a", 1, .parents_n = 0), DONE("b", 2, PARENTS(0)),
                                              DONE("c", 3, PARENTS(1)), DONE("d", 4, PARENTS(2, 0)),
                                              DONE("e", 5, PARENTS(0, 3, 1))};

        (void)state;
        expect(steps, COUNT(steps), &wide,
               "       ✔ a\n"
               "     1.0 ms\n"
               "     ┌──┴───┐\n"
               "    ✔ b     │\n"
               "  2.0 ms    │\n"
               "   ┌─┴──────│──────┐\n"
               "   │      ┌─┘      │\n"
               "  ✔ c     │        │\n"
               "3.0 ms    │        │\n"
               "   └─┐ ┌──┴──┐     │\n"
               "     ✔ d     │     │\n"
               "   4.0 ms    │     │\n"
               "      └──────┴─┬───┘\n"
               "              ✔ e\n"
               "            5.0 ms\n");
}

static void independent_chains(void **state)
{
        const struct cli_draw_step steps[] = {DONE("a1", 1, .parents_n = 0), DONE("b1", 2, .parents_n = 0),
                                              DONE("a2", 3, PARENTS(0)), DONE("b2", 4, PARENTS(1)),
                                              DONE("alone", 5, .parents_n = 0)};

        (void)state;
        expect(steps, COUNT(steps), &wide,
               " ✔ a1     ✔ b1    ✔ alone\n"
               "1.0 ms   2.0 ms   5.0 ms\n"
               "   │        │\n"
               " ✔ a2     ✔ b2\n"
               "3.0 ms   4.0 ms\n");
}

static void states_attempts_and_times(void **state)
{
        const struct cli_draw_step steps[] = {
                {.name = "done", .state = "complete", .ms = 3, .attempts = 3},
                {.name = "runs", .state = "in_progress", .ms = 250, .attempts = 2, PARENTS(0)},
                {.name = "queued", .state = "enqueued", .ms = -1, PARENTS(0)},
                {.name = "again", .state = "waiting_for_retry", .ms = -1, .attempts = 2, PARENTS(0)},
                {.name = "broken", .state = "error", .ms = 7, .attempts = 3, PARENTS(0)},
                {.name = "later", .state = "pending", .ms = -1, PARENTS(1, 2, 3, 4)},
                {.name = "new", .state = "some_later_state", .ms = -1, PARENTS(5)}};

        (void)state;
        expect(steps, COUNT(steps), &wide,
               "                            ✔ done\n"
               "                           3.0 ms ×3\n"
               "        ┌───────────────┬──────┴─────┬─────────────────┐\n"
               "     ▶ runs         ◔ queued      ↻ again          ✘ broken\n"
               "running 250 ms ×2   enqueued   will retry ×2   failed 7.0 ms ×3\n"
               "        └───────────────┴──────┬─────┴─────────────────┘\n"
               "                            ○ later\n"
               "                            pending\n"
               "                               │\n"
               "                             ? new\n"
               "                       some_later_state\n");
}

static void ascii_and_colour(void **state)
{
        const struct cli_draw_step steps[] = {
                DONE("a", 1, .parents_n = 0),
                {.name = "bad", .state = "error", .ms = 2, .attempts = 2, PARENTS(0)},
                {.name = "wait", .state = "pending", .ms = -1, PARENTS(0)}};
        const struct cli_draw_style ascii = {.ascii = true}, colour = {.colour = true};

        (void)state;
        expect(steps, COUNT(steps), &ascii,
               "              + a\n"
               "            1.0 ms\n"
               "        +------+------+\n"
               "      x bad        . wait\n"
               "failed 2.0 ms x2   pending\n");
        expect(steps, 1, &colour, "  \x1b[32m✔ a\x1b[0m\n\x1b[2m1.0 ms\x1b[0m\n");
}

static void names_are_shortened_to_fit(void **state)
{
        const struct cli_draw_step steps[] = {DONE("extract_all_the_orders", 1, .parents_n = 0),
                                              DONE("extract_all_the_customers", 2, .parents_n = 0),
                                              DONE("join", 3, PARENTS(0, 1))};
        const struct cli_draw_style narrow = {.width = 40};

        (void)state;
        expect(steps, COUNT(steps), &narrow,
               "✔ extract_all_the…   ✔ extract_all_the…\n"
               "      1.0 ms               2.0 ms\n"
               "         └──────────┬─────────┘\n"
               "                 ✔ join\n"
               "                 3.0 ms\n");
}

static void what_cannot_be_drawn_is_listed(void **state)
{
        const struct cli_draw_step steps[] = {DONE("extract_orders", 1, .parents_n = 0),
                                              DONE("ümlaut", 2, .parents_n = 0),
                                              {.name = "join", .state = "pending", .ms = -1, PARENTS(0, 1)}};
        const struct cli_draw_step cycle[] = {DONE("a", 1, PARENTS(1)), DONE("b", 1, PARENTS(0))};
        const struct cli_draw_style narrow = {.width = 12};

        (void)state;
        expect(steps, COUNT(steps), &narrow,
               "✔ extract_orders  1.0 ms\n"
               "✔ ümlaut          2.0 ms\n"
               "○ join            pending  ← extract_orders, ümlaut\n");
        expect(cycle, COUNT(cycle), &wide, "✔ a  1.0 ms  ← b\n✔ b  1.0 ms  ← a\n");
        expect(steps, 0, &wide, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(linear),
                cmocka_unit_test(diamond),
                cmocka_unit_test(tree),
                cmocka_unit_test(mixed),
                cmocka_unit_test(skipping_layers),
                cmocka_unit_test(independent_chains),
                cmocka_unit_test(states_attempts_and_times),
                cmocka_unit_test(ascii_and_colour),
                cmocka_unit_test(names_are_shortened_to_fit),
                cmocka_unit_test(what_cannot_be_drawn_is_listed),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
