/* SPDX-License-Identifier: MIT */
/* base/log: what is written to standard error, read back by a JSON parser. */
#include "base/log.h"
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Runs `write` with standard error in a file, and returns what was written. */
static char *captured(void (*write_lines)(void))
{
        static char text[256 * 1024];
        FILE *file = tmpfile();
        int saved = dup(STDERR_FILENO);
        ssize_t n;

        assert_non_null(file);
        assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
        write_lines();
        assert_true(dup2(saved, STDERR_FILENO) >= 0);
        close(saved);
        n = pread(fileno(file), text, sizeof text - 1, 0);
        assert_true(n >= 0);
        text[n] = 0;
        fclose(file);
        return text;
}

static void write_json(void)
{
        tk_log_init("tasker-test", TK_LOG_INFO, TK_LOG_JSON);
        tk_log_info("task.created", "say \"hi\"\n\x01",
                    TK_STR("name", "a\\b\xff"
                                   "ä"),
                    TK_INT("n", -5), TK_F64("f", 0.25), TK_BOOL("b", 7), TK_STR("none", NULL),
                    TK_F64("inf", INFINITY));
        tk_log_debug("not.written", NULL);
}

static void json_lines_parse(void **state)
{
        char *text = captured(write_json);
        json_t *line = json_loads(text, 0, NULL);
        (void)state;

        assert_non_null(line);
        assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1); /* one line */
        assert_string_equal(json_string_value(json_object_get(line, "service")), "tasker-test");
        assert_string_equal(json_string_value(json_object_get(line, "level")), "info");
        assert_string_equal(json_string_value(json_object_get(line, "event")), "task.created");
        assert_string_equal(json_string_value(json_object_get(line, "msg")), "say \"hi\"\n\x01");
        assert_string_equal(json_string_value(json_object_get(line, "name")), "a\\b\xef\xbf\xbd"
                                                                              "ä");
        assert_int_equal(json_integer_value(json_object_get(line, "n")), -5);
        assert_true(json_real_value(json_object_get(line, "f")) == 0.25);
        assert_true(json_is_true(json_object_get(line, "b")));
        assert_true(json_is_null(json_object_get(line, "none")));
        assert_true(json_is_null(json_object_get(line, "inf")));
        assert_int_equal(strlen(json_string_value(json_object_get(line, "time"))),
                         strlen("2026-01-31T12:00:00.123456Z"));
        json_decref(line);
}

static void write_huge(void)
{
        static char huge[100000];
        memset(huge, 'x', sizeof huge - 1);
        tk_log_init("tasker-test", TK_LOG_INFO, TK_LOG_JSON);
        tk_log_info("one", NULL, TK_STR("huge", huge));
        tk_log_info("many", NULL, TK_STR("a", huge), TK_STR("b", huge), TK_STR("c", huge), TK_STR("d", huge),
                    TK_STR("e", huge), TK_STR("f", huge), TK_STR("g", huge), TK_STR("h", huge),
                    TK_STR("i", huge), TK_STR("j", huge), TK_STR("k", huge), TK_STR("l", huge),
                    TK_STR("m", huge), TK_STR("n", huge), TK_STR("o", huge), TK_STR("p", huge),
                    TK_STR("q", huge));
}

static void lines_are_bounded(void **state)
{
        char *text = captured(write_huge), *second = strchr(text, '\n') + 1;
        json_t *line = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);
        const char *value = json_string_value(json_object_get(line, "huge"));
        (void)state;

        assert_int_equal(strlen(value), 4096 + 3);
        assert_string_equal(value + 4096, "…");
        json_decref(line);
        line = json_loads(second, 0, NULL);
        assert_int_equal(json_integer_value(json_object_get(line, "fields_dropped")), 17);
        json_decref(line);
}

static void write_text(void)
{
        tk_log_init("tasker-test", TK_LOG_DEBUG, TK_LOG_TEXT);
        errno = ENOENT;
        tk_log_warn("queue.slow", "look", TK_STR("queue", "worker_x"), TK_STR("why", "two words"),
                    TK_INT("ms", 12));
        assert_int_equal(errno, ENOENT);
}

static void text_lines_read_well(void **state)
{
        const char *text = captured(write_text);
        (void)state;

        assert_non_null(
                strstr(text, " warn  main queue.slow: \"look\" queue=worker_x why=\"two words\" ms=12\n"));
}

static void levels_parse(void **state)
{
        enum tk_log_level level = TK_LOG_ERROR;
        (void)state;

        assert_int_equal(tk_log_level_parse("debug", &level), 0);
        assert_int_equal(level, TK_LOG_DEBUG);
        assert_int_equal(tk_log_level_parse("WARN", &level), 0);
        assert_int_equal(level, TK_LOG_WARN);
        assert_int_equal(tk_log_level_parse("loud", &level), -EINVAL);
        tk_log_set_level(TK_LOG_WARN);
        assert_true(tk_log_enabled(TK_LOG_ERROR));
        assert_false(tk_log_enabled(TK_LOG_INFO));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(json_lines_parse),
                cmocka_unit_test(lines_are_bounded),
                cmocka_unit_test(text_lines_read_well),
                cmocka_unit_test(levels_parse),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
