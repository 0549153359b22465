/* SPDX-License-Identifier: MIT */
/* worker/core/templates.h: templates by digest, in process. A digest names a body for ever, so nothing here goes stale;
 * the least recently used ones make room. Concurrent askers of one digest share one load. Thread-safe. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include "model/template.h"
#include <stdint.h>

/* Loads one template; runs in an asker's thread and may block until the deadline. 0, WORK_TEMPLATE_E_UNKNOWN,
 * or negative: nobody could be asked, try again. */
enum { WORK_TEMPLATE_OK, WORK_TEMPLATE_E_UNKNOWN };
typedef int work_template_load_fn(void *user, const char *digest, int64_t deadline_ns, struct tk_template **ret,
                                  struct tk_err *err);

struct work_templates;
TK_MUST struct work_templates *work_templates_new(size_t entries_max, work_template_load_fn *load, void *user);
struct work_templates *work_templates_free(struct work_templates *templates); /* nothing may be taken */
/* The template, borrowed until work_templates_give. Failed loads are repeated with backoff until the deadline.
 * 0, or WORK_TEMPLATE_E_UNKNOWN with err saying what the last load said. */
TK_MUST int work_templates_take(struct work_templates *templates, const char *digest, int64_t deadline_ns,
                                const struct tk_template **ret, struct tk_err *err);
void work_templates_give(struct work_templates *templates, const struct tk_template *tpl);
void work_templates_close(struct work_templates *templates); /* waiting askers give up: the worker stops */

struct work_templates_stats {
        uint64_t hits, misses, loads, failures, shared, evictions;
        size_t entries;
};
void work_templates_stats(struct work_templates *templates, struct work_templates_stats *ret);
