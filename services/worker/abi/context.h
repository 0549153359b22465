/* SPDX-License-Identifier: MIT */
/* worker/abi/context.h: one call of a handler, from the worker's side. JSON that came with the assignment is parsed when a
 * handler first asks for it, and only what it asks for. Used by one thread; only `cancelled` is written by others. */
#pragma once
#include "base/arena.h"
#include "base/attr.h"
#include "model/template.h"
#include "worker/abi/tasker_worker.h"
#include <stdatomic.h>

struct work_text {
        const char *at; /* borrowed */
        size_t len;
};

/* Where asking for one name after the other has got to: the next is found without counting from the first again. */
struct work_seek {
        void *iter;             /* in the dependencies; NULL: nothing found yet */
        const char *prefix;     /* in the arena; NULL: none */
        size_t at;
};

struct tkw_context {
        struct tkw_info info;           /* texts are borrowed, or in the arena */
        struct tk_arena *arena;         /* of this call */
        int64_t deadline_ns;            /* monotonic */
        const atomic_bool *cancelled;
        const struct tk_template *tpl;  /* borrowed for the call */
        unsigned step;                  /* in tpl */
        struct work_text input_json, dependencies_json, step_inputs_json, checkpoint_json;
        bool dependencies_complete;
        /* Asks for results of these steps: {"name": StepExecutionResult, …}, new reference; NULL when nobody answered. */
        json_t *(*fetch)(void *user, const char *const *names, size_t n, int64_t deadline_ns);
        void *user;
        /* made on demand */
        json_t *input, *dependencies, *step_inputs, *checkpoint;
        json_t *results; /* {"name": its result}: those asked for, while `dependencies` as a whole is not needed */
        struct work_seek seeks[2]; /* failed, successful */
        bool all_fetched;
        bool unanswered;                /* results were asked for and nobody answered: what the handler found is not the whole truth */
};
/* Releases what was made on demand; the arena is the caller's. */
void work_context_deinit(struct tkw_context *ctx);
