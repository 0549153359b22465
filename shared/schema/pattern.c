/* SPDX-License-Identifier: MIT */
/* schema/pattern.c: regular expressions by PCRE2, whose limits keep time and memory bounded whatever expression meets whatever text. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/mem.h"
#include "schema/internal.h"
#include <errno.h>
#include <pcre2.h>

enum { MATCH_MAX = 200000, HEAP_KIB_MAX = 4096 };

struct pattern {
        pcre2_code *code;
        pcre2_match_context *limits;
};

struct pattern *pattern_new(const char *text, size_t len, struct tk_err *err)
{
        /* As ECMAScript has them: $ only at the very end, \uXXXX is a character, \d and \w are ASCII. */
        static const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C;
        int code;
        PCRE2_SIZE at;
        pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)text, len, options, &code, &at, NULL);
        if (!compiled) {
                char why[128];
                pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
                (void)TK_ERR(err, -EINVAL, "regular expression '%.100s' is not one: %s, at byte %zu", text, why, at);
                return NULL;
        }
        struct pattern *pattern = TK_NEW(struct pattern);
        pattern->code = compiled;
        pattern->limits = pcre2_match_context_create(NULL);
        pcre2_set_match_limit(pattern->limits, MATCH_MAX);
        pcre2_set_heap_limit(pattern->limits, HEAP_KIB_MAX);
        return pattern;
}

struct pattern *pattern_free(struct pattern *pattern)
{
        if (!pattern)
                return NULL;
        pcre2_code_free(pattern->code);
        pcre2_match_context_free(pattern->limits);
        return tk_free(pattern);
}

int pattern_matches(const struct pattern *pattern, const char *text, size_t len)
{
        pcre2_match_data *found = pcre2_match_data_create(1, NULL);
        int r = pcre2_match(pattern->code, (PCRE2_SPTR)text, len, 0, PCRE2_NO_UTF_CHECK, found, pattern->limits); /* JSON texts are UTF-8 */
        pcre2_match_data_free(found);
        if (r >= 0)
                return PATTERN_YES;
        return r == PCRE2_ERROR_NOMATCH ? PATTERN_NO : PATTERN_TOO_LONG;
}
