/* SPDX-License-Identifier: MIT */
/* worker/actor/job.h: an assignment on its way through the worker. The decoded frame it came in is shared by all
 * assignments of that frame. */
#pragma once
#include "base/arena.h"
#include "model/template.h"
#include "run/mbox.h"
#include "tasker/dispatch/v1/dispatch.pb-c.h"
#include "worker/abi/result.h"
#include "worker/core/ledger.h"
#include "worker/core/together.h"
#include <stdatomic.h>

struct work_app;
struct work_frame {
        atomic_uint refs;
        struct tk_arena *arena;
        struct work_together company;   /* its jobs */
};
/* Takes over the arena; one reference. in_hand counts the jobs of all frames that have no result yet. */
struct work_frame *work_frame_new(struct tk_arena *arena, atomic_uint *in_hand);
void work_frame_unref(struct work_frame *frame);

struct work_job {
        struct tk_msg msg;              /* of the execute mailbox */
        struct work_frame *frame;
        const Tasker__Dispatch__V1__Assign *assign; /* in the frame */
        struct work_key key;
        unsigned link;
        int64_t received_ns;            /* monotonic */
        int64_t lease_ns;               /* how long somebody waits for us without hearing of us */
        /* of the execution: */
        const struct tk_template *tpl;  /* borrowed; NULL until it is known, and for steps that publish no events */
        unsigned step;                  /* in tpl */
        const char *handler_version;
        int64_t started_ns, started_wall_ns;
        int64_t deadline_ns;
        uint32_t timeout_ms;
        atomic_bool cancelled;
        struct tk_list running;         /* in the watch */
        bool left;                      /* the company: it has its result */
        bool overrun;                   /* the watch has failed it; under the watch's lock */
};
/* A job out of an assignment that was checked; takes a reference of the frame. */
struct work_job *work_job_new(struct work_frame *frame, const Tasker__Dispatch__V1__Assign *assign,
                              const struct work_key *key, unsigned link);
void work_job_free(struct work_job *job);

/* Writes the result down and hands it to the stream. by_worker: the worker itself speaks, not a handler.
 * False: the attempt has a result already (this one came too late). */
bool work_job_report(struct work_app *app, struct work_job *job, struct tkw_result *result, bool by_worker,
                     bool overrun);
/* The same for a failure of the worker's own. */
bool work_job_fail(struct work_app *app, struct work_job *job, enum work_verdict verdict, const char *type,
                   const char *message, bool overrun);
