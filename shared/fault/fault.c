/* SPDX-License-Identifier: MIT */
/* fault/fault.c: see the header. */
#include "fault/fault.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool tk_fault_on;

static const char *const names[TK_FAULTS] = {
        [TK_FAULT_STATEMENT_BEFORE] = "statement_before", [TK_FAULT_STATEMENT_AFTER] = "statement_after",
        [TK_FAULT_POST] = "post", [TK_FAULT_PUSH_LOSE] = "push_lose", [TK_FAULT_PUSH_CLOSE] = "push_close",
        [TK_FAULT_PUSH_TWICE] = "push_twice", [TK_FAULT_PUSH_LATE] = "push_late",
};

static struct {
        double chance;
        uint64_t at; /* the passing that fails; 0: go by chance */
        atomic_uint_fast64_t passed;
} points[TK_FAULTS];

static int number(const char *name)
{
        for (int i = 0; i < TK_FAULTS; i++)
                if (tk_streq(names[i], name))
                        return i;
        return -1;
}

static int arm(char *entry, struct tk_err *err)
{
        char *said = strchr(entry, ':');
        if (said)
                *said++ = '\0';
        int point = number(entry);
        if (point < 0)
                return TK_ERR(err, -EINVAL, "TASKER_FAULTS: no point is called '%.40s'", entry);
        int64_t nth = 0;
        double chance = 0;
        bool once = said && *said == '#';
        bool good = once ? !tk_str_to_i64(said + 1, 1, INT64_MAX, &nth) : said && !tk_str_to_f64(said, &chance) && chance > 0 && chance <= 1;
        if (!good)
                return TK_ERR(err, -EINVAL, "TASKER_FAULTS: %s needs a probability above 0 and to 1, or #n, found '%.40s'", entry, said ? said : "");
        points[point].chance = chance;
        points[point].at = (uint64_t)nth;
        atomic_store(&points[point].passed, 0);
        return 0;
}

int tk_fault_init(const char *text, struct tk_err *err)
{
        for (int i = 0; i < TK_FAULTS; i++)
                points[i].chance = 0, points[i].at = 0;
        tk_fault_on = false;
        if (!text || !*text)
                return 0;
        TK_AUTOFREE char *copy = tk_strndup(text, strlen(text));
        char *at = NULL;
        for (char *entry = strtok_r(copy, ",", &at); entry; entry = strtok_r(NULL, ",", &at)) {
                int r = arm(entry, err);
                if (r)
                        return r;
        }
        tk_fault_on = true;
        return 0;
}

bool tk_fault_strikes(enum tk_fault point)
{
        uint64_t passing = atomic_fetch_add_explicit(&points[point].passed, 1, memory_order_relaxed) + 1;
        return points[point].at ? passing == points[point].at : points[point].chance > 0 && tk_rand_f64() < points[point].chance;
}
