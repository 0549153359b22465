/* SPDX-License-Identifier: MIT */
/* run/meter.h: named things that are neither actors nor durations, and what they are doing now: streams, database connections, permit
 * sets. One per (kind, name) of the process, shared by all that have the name, as spreads are (run/spread.h); never freed. Counting is
 * one relaxed atomic operation. */
#pragma once
#include "base/attr.h"
#include <stddef.h>
#include <stdint.h>

enum tk_meter_kind { TK_METER_STREAM, TK_METER_CONNECTION, TK_METER_PERMITS, TK_METER_KINDS };
/* Figures, by kind. */
enum {
        TK_STREAM_OPEN,        /* now */
        TK_STREAM_FRAMES_OUT,
        TK_STREAM_FRAMES_IN,
        TK_STREAM_BYTES_OUT,
        TK_STREAM_BYTES_IN,
        TK_STREAM_IN_FLIGHT,   /* now: frames handed to gRPC and not sent yet */
        TK_STREAM_BLOCKED_NS,  /* time that something waited because a frame was on its way */
};
enum {
        TK_CONNECTION_OPEN,    /* now */
        TK_CONNECTION_BUSY,    /* now: a statement runs */
        TK_CONNECTION_OPENED,  /* since the start: more than are open means that some broke */
        TK_CONNECTION_FAILED,  /* statements that did not succeed */
};
enum {
        TK_PERMITS_TOTAL,
        TK_PERMITS_IN_USE,
        TK_PERMITS_WAITING,
        TK_PERMITS_HIGH_WATER,
        TK_PERMITS_ACQUIRED,
        TK_PERMITS_EXHAUSTED,  /* takes that found none free */
};
enum { TK_METER_FIGURES = 8 };

struct tk_meter;
TK_MUST struct tk_meter *tk_meter_get(enum tk_meter_kind kind, const char *name); /* made on first use; name is copied. Never NULL */
void tk_meter_add(struct tk_meter *meter, unsigned figure, int64_t n);            /* any thread */
void tk_meter_set(struct tk_meter *meter, unsigned figure, int64_t value);
/* What it does now, or did last: static storage, e.g. a statement's name. */
void tk_meter_note(struct tk_meter *meter, const char *what);

struct tk_meter_stats {
        enum tk_meter_kind kind;
        const char *name, *note; /* note may be NULL */
        int64_t figures[TK_METER_FIGURES];
};
void tk_meter_each(void (*each)(void *user, const struct tk_meter_stats *stats), void *user);
