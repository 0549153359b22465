/* SPDX-License-Identifier: MIT */
/* worker/abi/value.h: what the rest of the worker needs of JSON views. */
#pragma once
#include "json/json.h"
#include "worker/abi/tasker_worker.h"

/* By path as in tasker_worker.h; NULL when it is not there. */
const json_t *work_value_find(const json_t *value, const char *path);
const struct tkw_value *work_value_view(const json_t *value, const char *path);
/* A deep copy; null when it is not there. New reference. */
json_t *work_value_copy(const struct tkw_value *value);
void work_value_dump(const struct tkw_value *value, struct tk_buf *buf);
