/* SPDX-License-Identifier: MIT */
/* model/growth.h: what comes into being when a decision or an analyzer has spoken. Pure: template, state of the task and outcome in,
 * steps and edges out; who calls holds the task's lock and stores both with the result (docs/design/growth.md has the rules).
 *
 * Words. A step is *dynamic* when it does not exist from the start. A *source* is a step that brings others into being: a
 * decision or a batchable step; it is open until it is settled. An edge from an open source to a step that may still get
 * parents through it is a *hold*: it makes the step wait until the source has spoken. */
#pragma once
#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "model/template.h"
#include <jansson.h>

enum tk_growth_status { TK_GROWTH_ABSENT, TK_GROWTH_OPEN, TK_GROWTH_OVER }; /* of a template's step in a task */

struct tk_growth_limits {
        uint32_t decision_steps_max; /* names in one outcome */
        uint32_t decision_depth_max; /* decisions on one path */
        uint32_t instances_max;      /* batches of one outcome */
        uint32_t parallel_max;       /* instances at work at once, whatever the template says */
};
struct tk_grown_step {
        uint16_t no;                 /* in the template */
        uint32_t instance;           /* 0, or from 1 for each instance of a batch_worker step */
        const char *name;
        const char *inputs;          /* JSON object of an instance; NULL: none */
        bool held;                   /* waits until an instance before it has made room */
};
struct tk_grown_edge {
        uint16_t from, to;           /* template steps: from every instance to every instance, but none from an instance to another one */
};
struct tk_growth {
        struct tk_grown_step *steps; /* new ones, by number and instance */
        struct tk_grown_edge *edges; /* may repeat some that exist */
        uint32_t steps_n, edges_n;
        uint32_t names_n, depth;     /* of a decision that opens branches: what to warn of */
};

/* Whether the text of a StepExecutionResult may hold an outcome; cheap, so that all others can be passed by. */
bool tk_growth_suspected(const char *json, size_t len);

/* Plans what follows when `source`, a step in progress, succeeds with `document` (its StepExecutionResult). status: one per
 * template step, of the source as it will be: OVER. Everything returned lives in the arena. 0: done, maybe with nothing to
 * create; -EINVAL: the outcome cannot be carried out, err says for people what is wrong with it. */
TK_MUST int tk_growth_plan(const struct tk_template *tpl, uint16_t source, const uint8_t *status, const json_t *document,
                           const struct tk_growth_limits *limits, struct tk_arena *arena, struct tk_growth *ret,
                           struct tk_err *err);
