/* SPDX-License-Identifier: MIT */
/* archive/expire.h: deletes what a namespace's policy keeps no longer, batch by batch, each written to a file first when there is one. A batch is one
 * transaction: its tasks are in the file before they are gone, and whoever is interrupted runs it again. A crash between both leaves tasks in the
 * file that come once more the next time; a line it tore is cut off when the file is opened again. Several may run at once. */
#pragma once
#include "pg/pg.h"

struct tk_archive_expire; /* an export file that nobody else writes, or none */
/* path: lines are added to its end; NULL: nothing is written. Negative: it cannot be written, or somebody else does. */
TK_MUST int tk_archive_expire_open(const char *path, struct tk_archive_expire **ret, struct tk_err *err);
struct tk_archive_expire *tk_archive_expire_close(struct tk_archive_expire *expire); /* NULL is fine; returns NULL */

/* Deletes one batch of the namespace. at: where to go on, nil at first. Adds to what was deleted. ret_more: there is more to look at.
 * 0, an outcome of pg/pg.h, or negative when the file could not be written; nothing of the batch was deleted then (TK_PG_E_DOWN: unknown). */
struct tk_archive_sum {
        int64_t tasks, steps;
};
TK_MUST int tk_archive_expire_batch(struct tk_archive_expire *expire, struct tk_pg *pg, const char *namespace, struct tk_uuid *at,
                                    struct tk_archive_sum *sum, bool *ret_more, struct tk_err *err);
