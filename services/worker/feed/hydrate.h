/* SPDX-License-Identifier: MIT */
/* worker/feed/hydrate.h: where templates come from: the cache service, else the worker's own files. */
#pragma once
#include "worker/core/templates.h"

/* A work_template_load_fn; user: struct work_app. */
int work_hydrate(void *user, const char *digest, int64_t deadline_ns, struct tk_template **ret, struct tk_err *err);
