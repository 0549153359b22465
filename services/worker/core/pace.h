/* SPDX-License-Identifier: MIT */
/* worker/core/pace.h: how many attempts the worker takes at once: one for each permit, and some in advance, so that no permit
 * waits while a result travels and the next assignment comes back.
 *
 * In advance it takes what the permits get done in WORK_PACE_AHEAD_NS, by the mean of recent handlers: many when they take
 * microseconds, none when they take minutes and another worker might start at once what would wait here. What is taken in advance is
 * out of the queue's order: an urgent step that comes now waits so long at most. Nothing is known at first, so nothing is taken in advance.
 *
 * What has waited for WORK_PACE_PATIENCE_NS, ten times as long as was planned, goes back (core/ledger.h): the handlers before it are
 * not like those of the mean, and it may begin elsewhere. If that were shorter, a machine that is busy for a moment would send steps to
 * and fro, two transactions each time; if longer, people would notice. What made them wait counts as a mean of that length, so a few
 * dozen quick handlers must end before anything is taken in advance again.
 *
 * A fixed number may be configured instead: so many, or what is done within half the patience if that is less. Thread-safe. */
#pragma once
#include "base/attr.h"
#include <stdint.h>

enum {
        WORK_PACE_AHEAD_NS = 20 * 1000 * 1000,
        WORK_PACE_PATIENCE_NS = 10 * WORK_PACE_AHEAD_NS,
        WORK_PACE_TIMES_MAX = 16, /* most in advance, as a multiple of the permits */
};

struct work_pace;
/* prefetch: taken in advance; negative: as described. */
TK_MUST struct work_pace *work_pace_new(unsigned permits, int64_t prefetch);
struct work_pace *work_pace_free(struct work_pace *pace);
/* A handler took so long. Returns how many attempts to take at once from now on, at most work_pace_max(). */
unsigned work_pace_learn(struct work_pace *pace, int64_t handler_ns);
/* Steps waited for longer than the patience. Returns how many attempts to take at once: one for each permit. */
unsigned work_pace_stalled(struct work_pace *pace);
unsigned work_pace_now(const struct work_pace *pace);
unsigned work_pace_max(const struct work_pace *pace);
