/* SPDX-License-Identifier: MIT */
/* model/template.h: a task template: parsed from YAML, validated, canonical, digested. Pure: no I/O.
 * Source of the keys: the template format described in docs/templates.md. Unknown keys are warnings with file:line
 * (errors when strict); keys of features that come later are accepted and kept in the canonical body. */
#pragma once
#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/event.h"
#include "schema/schema.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
        TK_TEMPLATE_BYTES_MAX = 4 * 1024 * 1024,
        TK_TEMPLATE_STEPS_MAX = 16384,
        TK_TEMPLATE_ANCESTORS_MAX = 32, /* ancestors whose results travel with an assignment: parents, so many at most, */
        TK_TEMPLATE_ANCESTORS_NEAR = 8, /* and of the others the nearest, until it is so many in all */
};
enum tk_step_type {
        TK_STEP_STANDARD,
        TK_STEP_DECISION,
        TK_STEP_DEFERRED_CONVERGENCE,
        TK_STEP_BATCHABLE,
        TK_STEP_BATCH_WORKER
};
enum tk_backoff { TK_BACKOFF_NONE, TK_BACKOFF_FIXED, TK_BACKOFF_LINEAR, TK_BACKOFF_EXPONENTIAL, TK_BACKOFF_FIBONACCI };

struct tk_template_step {
        const char *name, *description;
        enum tk_step_type type;
        struct {
                const char *callable, *method /* "call" */, *resolver /* or NULL */;
                json_t *initialization;          /* object; borrowed from the template */
        } handler;
        uint16_t *parents;                        /* step numbers */
        uint16_t *ancestors;                      /* transitive, nearest first by distance then number; ANCESTORS_… says how many; without batch
                                                     workers, and for these without analyzers: their results can be many and large */
        uint32_t parents_n, ancestors_n, ancestors_all; /* ancestors_all > ancestors_n: there are more, not counted */
        bool retryable;
        uint16_t max_attempts;
        enum tk_backoff backoff;
        uint32_t backoff_base_ms, backoff_max_ms;
        uint32_t timeout_ms;                      /* of an attempt; 0: none */
        uint32_t queue_timeout_ms;                /* in the queue; 0: none */
        const char *on_timeout, *on_queue_timeout; /* what follows; NULL: not said */
        struct {
                const char *worker_template;      /* NULL: not said */
                const char *cursor_field, *failure_strategy;
                uint32_t parallelism;             /* 0: without a batch_config */
        } batch;
        struct tk_template_event *events;         /* that it publishes */
        uint32_t events_n;
        struct tk_schema *result_schema;          /* what a result must fit; NULL: anything */
        bool at_start;                            /* exists from the task's creation: not what a decision or an analyzer brings, nor what needs it */
};
struct tk_template {
        struct tk_arena *arena;                   /* owns everything here */
        json_t *body;                             /* the whole document, normalised (defaults filled, aliases resolved); owned */
        const char *ns, *name, *version, *description;
        const char *identity;                     /* strict, caller_provided, always_unique */
        struct tk_schema *input_schema;           /* what a task's context must fit; NULL: anything */
        struct tk_template_step *steps;
        uint16_t *order;                          /* step numbers, parents before children */
        uint32_t steps_n, at_start_n;
        char digest[65];                          /* hex SHA-256 of the canonical body */
        char **warnings;                          /* "file:line: unknown key retry.limit (did you mean max_attempts?)" */
        uint32_t warnings_n;
};
/* `file` is for messages only; environment (may be NULL) applies environments.<name> (and ALL) overrides. Errors carry
 * "file:line:column: …": syntax, missing or mistyped keys, ranges, duplicate steps, unknown dependency, self-dependency, cycle (named). */
TK_MUST int tk_template_parse_yaml(const char *file, const void *yaml, size_t len, const char *environment,
                                   struct tk_template **ret, struct tk_err *err);
/* From a stored canonical body. */
TK_MUST int tk_template_parse_json(const void *json, size_t len, struct tk_template **ret, struct tk_err *err);
struct tk_template *tk_template_free(struct tk_template *tpl);
TK_DEFINE_CLEANUP(struct tk_template *, tk_template_free);
/* The canonical body text (what the digest is made of). */
void tk_template_canonical(const struct tk_template *tpl, struct tk_buf *buf);
/* p_steps and p_edges of tasker.register_template (docs/design/database.md), as JSON text. */
void tk_template_db_steps(const struct tk_template *tpl, struct tk_buf *buf);
void tk_template_db_edges(const struct tk_template *tpl, struct tk_buf *buf);
int tk_template_step_find(const struct tk_template *tpl, const char *name); /* number, or -1 */
