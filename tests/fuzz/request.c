/* SPDX-License-Identifier: MIT */
/* Bodies of REST: a task request, a decision about a step, one about a task, one about many. What is refused has a reason; the canonical
 * context of an accepted request stays what it is when it is submitted. */
#include "fuzz/fuzz.h"
#include "base/str.h"
#include "base/uuid.h"
#include "model/decision.h"
#include "model/step_action.h"
#include "model/task_request.h"
#include <string.h>

enum { ARENA_BLOCK = 4096, ARENA_MAX = 256 << 20 };

static void identities(const struct tk_task_request *request)
{
        static const char *const strategies[] = {"strict", "caller_provided", "always_unique"};
        struct tk_uuid named = {{0}};
        uint8_t first[32], second[32];
        for (size_t i = 0; i < tk_countof(strategies); i++) {
                struct tk_err err = {0};
                int r = tk_task_request_identity(request, &named, strategies[i], first, &err);
                TK_CHECK(!r || r == TK_TASK_REQUEST_E_VALUE);
                if (r)
                        continue;
                TK_CHECK(!tk_task_request_identity(request, &named, strategies[i], second, &err));
                const char *used = request->identity_strategy ? request->identity_strategy : strategies[i];
                bool stable = request->idempotency_key || tk_streq(used, "strict");
                TK_CHECK(!stable || !memcmp(first, second, sizeof first));
        }
}

static void submit(const uint8_t *data, size_t len, struct tk_arena *arena)
{
        struct tk_task_request request;
        struct tk_err err = {0};
        if (tk_task_request_parse(data, len, arena, &request, NULL, &err)) {
                TK_CHECK(*tk_err_text(&err));
                return;
        }
        TK_CHECK(*request.name && *request.ns && *request.version);
        identities(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
        TK_CLEANUP(tk_arena_free) struct tk_arena *arena = tk_arena_new(ARENA_BLOCK, ARENA_MAX);
        struct tk_step_action action;
        struct tk_decision decision;
        struct tk_err errs[3] = {{0}};
        submit(data, len, arena);
        if (tk_step_action_parse(data, len, arena, &action, &errs[0]))
                TK_CHECK(*tk_err_text(&errs[0]));
        if (tk_decision_parse(data, len, arena, &decision, &errs[1]))
                TK_CHECK(*tk_err_text(&errs[1]));
        if (tk_decision_parse_bulk(data, len, arena, &decision, &errs[2]))
                TK_CHECK(*tk_err_text(&errs[2]));
        return 0;
}
