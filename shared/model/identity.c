/* SPDX-License-Identifier: MIT */
/* model/identity.c: which submissions are the same task. A caller's key wins over any strategy. */
#include "base/str.h"
#include "crypto/sha256.h"
#include "model/sub_task.h"
#include "model/task_request.h"
#include <stdio.h>

static void hash(const char *kind, const struct tk_uuid *named_task, const void *data, size_t len,
                 uint8_t ret[TK_SHA256_SIZE])
{
        struct tk_sha256 sha;
        tk_sha256_init(&sha);
        tk_sha256_update(&sha, kind, strlen(kind) + 1);
        tk_sha256_update(&sha, named_task->b, sizeof named_task->b);
        tk_sha256_update(&sha, data, len);
        tk_sha256_final(&sha, ret);
}

int tk_task_request_identity(const struct tk_task_request *req, const struct tk_uuid *named_task, const char *strategy,
                             uint8_t ret_hash[TK_SHA256_SIZE], struct tk_err *err)
{
        if (req->identity_strategy)
                strategy = req->identity_strategy;
        if (req->idempotency_key) {
                hash("key", named_task, req->idempotency_key, strlen(req->idempotency_key), ret_hash);
        } else if (tk_streq(strategy, "caller_provided")) {
                return TK_ERR(err, TK_TASK_REQUEST_E_VALUE,
                              "idempotency_key is required: %s %s has identity_strategy caller_provided",
                              req->identity_strategy ? "this request for" : "template", req->name);
        } else if (tk_streq(strategy, "always_unique")) {
                struct tk_uuid once;
                tk_uuid_v4(&once);
                hash("unique", named_task, once.b, sizeof once.b, ret_hash);
        } else {
                hash("strict", named_task, req->context_canonical, strlen(req->context_canonical), ret_hash);
        }
        return 0;
}

void tk_sub_task_identity(const struct tk_uuid *step, uint32_t attempt, uint8_t ret_hash[TK_SHA256_SIZE])
{
        char text[16];
        int len = snprintf(text, sizeof text, "%u", attempt);
        hash("sub_task", step, text, (size_t)len, ret_hash);
}
