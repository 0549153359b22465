/* SPDX-License-Identifier: MIT */
/* orchestrator/core/template.h: which template version a request means. Name and version are bound to a digest in memory
 * for a while; announcements drop the binding, and the creating transaction checks the digest, so a stale one costs a
 * second look, never a wrong task. Thread-safe. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include "base/uuid.h"
#include "pg/pg.h"
#include "schema/schema.h"
#include <stdbool.h>
#include <stdint.h>

struct orch_app;
struct orch_templates;
struct orch_template_ref {
        struct tk_uuid named_task;
        char digest[65];
        char identity[32];
        uint32_t steps_at_start;
        struct tk_schema *input_schema; /* what a context must fit; NULL: anything. Whoever gets a ref owns one share of it. */
};
static inline void orch_template_ref_deinit(struct orch_template_ref *ref) { ref->input_schema = tk_schema_free(ref->input_schema); }
#define ORCH_AUTOREF __attribute__((cleanup(orch_template_ref_deinit)))
/* Whether a context fits; else err has the places. value: what the text says, where somebody has it; NULL: it is read from the text. */
TK_MUST bool orch_template_fits(const struct orch_template_ref *ref, const char *text, const json_t *value, struct tk_err *err);
enum { ORCH_TEMPLATE_OK, ORCH_TEMPLATE_E_UNKNOWN = 100 };

TK_MUST struct orch_templates *orch_templates_new(int64_t ttl_ns);
struct orch_templates *orch_templates_free(struct orch_templates *templates);
/* From memory only; false: ask orch_template_load. */
TK_MUST bool orch_templates_get(struct orch_templates *templates, const char *ns, const char *name, const char *version,
                                struct orch_template_ref *ret);
/* The cache service failed a moment ago and is not asked. */
bool orch_templates_cache_rests(struct orch_templates *templates);
/* "ns/name/version" changed; NULL: forget all. */
void orch_templates_drop(struct orch_templates *templates, const char *key);
/* Asks the cache service, then PostgreSQL; `fresh`: PostgreSQL at once, after a cached answer proved old. Blocking.
 * 0, E_UNKNOWN, or an outcome of pg/pg.h. */
TK_MUST int orch_template_load(struct orch_app *app, struct tk_pg *pg, const char *ns, const char *name,
                               const char *version, bool fresh, struct orch_template_ref *ret, struct tk_err *err);
