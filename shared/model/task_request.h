/* SPDX-License-Identifier: MIT */
/* model/task_request.h: what a client submits, checked and complete. Pure: no I/O. Limits after the wire contract. */
#pragma once
#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/uuid.h"
#include "model/task_times.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { TK_TASK_REQUEST_OK, TK_TASK_REQUEST_E_SYNTAX /* 400 */, TK_TASK_REQUEST_E_SHAPE /* 422: missing or mistyped field */,
       TK_TASK_REQUEST_E_VALUE /* 400: empty, too long, too deep, out of range */ };
enum { TK_TASK_CONTEXT_BYTES_MAX = 1024 * 1024, TK_TASK_CONTEXT_DEPTH_MAX = 10, TK_TASK_CONTEXT_ENTRIES_MAX = 1000,
       TK_TASK_STRING_MAX = 10000, TK_TASK_TAGS_MAX = 100 };

struct tk_task_request {
        const char *name, *ns, *version, *initiator, *source_system, *reason;
        const char *context;            /* compact JSON object text, numbers as sent */
        const char *context_canonical;  /* RFC 8785 */
        const char *tags;               /* JSON array text */
        const char *idempotency_key;    /* or NULL */
        const char *identity_strategy;  /* of this request, before the template's; or NULL */
        struct tk_uuid correlation_id, parent_correlation_id; /* v4 when absent; nil when absent */
        int32_t priority;
        int64_t requested_at_ns;
        struct tk_task_times times;
};
/* All strings live in the arena. *ret_context, unless it is NULL: the context as values, for whoever checks it next; json_decref, of 0 only. */
TK_MUST int tk_task_request_parse(const void *json, size_t len, struct tk_arena *arena, struct tk_task_request *ret, json_t **ret_context,
                                  struct tk_err *err);
/* SHA-256 identity: strict = named task + canonical context; a caller's key wins over any strategy (caller_provided without
 * key: TK_TASK_REQUEST_E_VALUE); always_unique = random. `strategy` is the template's, for requests that name none. */
TK_MUST int tk_task_request_identity(const struct tk_task_request *req, const struct tk_uuid *named_task,
                                     const char *strategy, uint8_t ret_hash[32], struct tk_err *err);
