/* SPDX-License-Identifier: MIT */
/* model/sub_task.c: what is inherited is filled in, then it is a task request like any other. */
#include "model/sub_task.h"
#include "base/buf.h"
#include "json/json.h"

enum { REQUEST_BYTES_MAX = 4 * 1024 * 1024, REQUEST_DEPTH_MAX = 64 };

static void otherwise(json_t *in, const char *key, const char *text)
{
        if (!json_object_get(in, key))
                json_object_set_new(in, key, json_string(text));
}

static int fill(json_t *in, const char *ns, struct tk_sub_task *ret, struct tk_err *err)
{
        const json_t *wait = json_object_get(in, "wait_blocked"), *priority = json_object_get(in, "priority");
        if (wait && !json_is_boolean(wait))
                return TK_ERR(err, TK_TASK_REQUEST_E_SHAPE, "wait_blocked: must be true or false");
        ret->wait_blocked = json_is_true(wait);
        ret->has_priority = priority && !json_is_null(priority);
        otherwise(in, "namespace", ns);
        otherwise(in, "reason", "a step waits for it");
        json_object_del(in, "wait_blocked");
        /* Who asks, by whose name it is found again, and what it belongs to is not the handler's to say. */
        json_object_set_new(in, "initiator", json_string(""));
        json_object_set_new(in, "source_system", json_string("sub_task"));
        json_object_del(in, "correlation_id");
        json_object_del(in, "parent_correlation_id");
        json_object_del(in, "idempotency_key");
        json_object_del(in, "identity_strategy");
        return 0;
}

int tk_sub_task_parse(const void *json, size_t len, const char *ns, struct tk_arena *arena, struct tk_sub_task *ret, struct tk_err *err)
{
        static const struct tk_json_limits limits = {REQUEST_BYTES_MAX, REQUEST_DEPTH_MAX, 100000, REQUEST_BYTES_MAX};
        TK_AUTOJSON json_t *in = NULL;
        TK_AUTOBUF struct tk_buf text;
        tk_buf_init(&text, REQUEST_BYTES_MAX);
        *ret = (struct tk_sub_task){0};
        if (tk_json_parse(json, len, &limits, &in, err))
                return TK_TASK_REQUEST_E_VALUE;
        if (!json_is_object(in))
                return TK_ERR(err, TK_TASK_REQUEST_E_SHAPE, "a sub-task is asked for by an object");
        int r = fill(in, ns, ret, err);
        if (r)
                return r;
        tk_json_dump(in, &text);
        r = tk_task_request_parse(text.data, text.len, arena, &ret->req, NULL, err);
        ret->req.initiator = NULL;
        return r;
}
