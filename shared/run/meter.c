/* SPDX-License-Identifier: MIT */
/* run/meter.c: a list that only grows, so that readers need no lock. */
#include "run/meter.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include <pthread.h>
#include <stdatomic.h>

enum { NAME = 64 };

struct tk_meter {
        struct tk_meter *next; /* these three never change */
        enum tk_meter_kind kind;
        char name[NAME];
        _Atomic(const char *) note;
        atomic_int_fast64_t figures[TK_METER_FIGURES];
};

static _Atomic(struct tk_meter *) first;
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

struct tk_meter *tk_meter_get(enum tk_meter_kind kind, const char *name)
{
        char cut[NAME];
        (void)tk_str_copy(cut, sizeof cut, name);
        pthread_mutex_lock(&making);
        struct tk_meter *meter = atomic_load_explicit(&first, memory_order_relaxed);
        while (meter && (meter->kind != kind || strcmp(meter->name, cut)))
                meter = meter->next;
        if (!meter) {
                meter = TK_NEW(struct tk_meter);
                meter->kind = kind;
                memcpy(meter->name, cut, sizeof cut);
                meter->next = atomic_load_explicit(&first, memory_order_relaxed);
                atomic_store_explicit(&first, meter, memory_order_release);
        }
        pthread_mutex_unlock(&making);
        return meter;
}

void tk_meter_add(struct tk_meter *meter, unsigned figure, int64_t n)
{
        TK_CHECK(figure < TK_METER_FIGURES);
        atomic_fetch_add_explicit(&meter->figures[figure], n, memory_order_relaxed);
}

void tk_meter_set(struct tk_meter *meter, unsigned figure, int64_t value)
{
        TK_CHECK(figure < TK_METER_FIGURES);
        atomic_store_explicit(&meter->figures[figure], value, memory_order_relaxed);
}

void tk_meter_note(struct tk_meter *meter, const char *what)
{
        atomic_store_explicit(&meter->note, what, memory_order_relaxed);
}

void tk_meter_each(void (*each)(void *user, const struct tk_meter_stats *stats), void *user)
{
        for (struct tk_meter *meter = atomic_load_explicit(&first, memory_order_acquire); meter; meter = meter->next) {
                struct tk_meter_stats stats = {.kind = meter->kind, .name = meter->name};
                stats.note = atomic_load_explicit(&meter->note, memory_order_relaxed);
                for (unsigned i = 0; i < TK_METER_FIGURES; i++)
                        stats.figures[i] = atomic_load_explicit(&meter->figures[i], memory_order_relaxed);
                each(user, &stats);
        }
}
