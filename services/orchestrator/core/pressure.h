/* SPDX-License-Identifier: MIT */
/* orchestrator/core/pressure.h: whether more work may come in. New tasks are refused before a mailbox is full, so that what is
 * already inside (results, reads) still has room. Costs five short locks, about 0.1 µs. Any thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct orch_app;
struct orch_pressure {
        const char *mailbox; /* the fullest of those a task's way leads through */
        uint32_t depth, capacity;
        unsigned percent;
};
void orch_pressure(struct orch_app *app, struct orch_pressure *ret);
/* True: refuse (shedding.percent is reached). Says once in the log when shedding.warn_percent is passed, and when it is over. */
bool orch_pressure_sheds(struct orch_app *app, struct orch_pressure *ret);
