/* SPDX-License-Identifier: MIT */
/* orchestrator/core/bodies.h: parsed templates by digest, of one thread. A digest never changes its meaning, so nothing here grows old;
 * a full store is emptied. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include "model/template.h"
#include "pg/pg.h"

struct orch_bodies;
TK_MUST struct orch_bodies *orch_bodies_new(void);
struct orch_bodies *orch_bodies_free(struct orch_bodies *bodies); /* NULL is fine; returns NULL */
TK_DEFINE_CLEANUP(struct orch_bodies *, orch_bodies_free);
/* Makes room when there is little; what get returned before is gone then. */
void orch_bodies_trim(struct orch_bodies *bodies);
/* From memory or the database. *ret is borrowed. 0, or an outcome of pg/pg.h (E_SERVER: the stored body cannot be read). */
TK_MUST int orch_bodies_get(struct orch_bodies *bodies, struct tk_pg *pg, struct tk_arena *arena, const char *digest,
                            const struct tk_template **ret, struct tk_err *err);
