/* SPDX-License-Identifier: MIT */
/* bench/client/verify.c: after the clock has stopped, every value is read back. */
#include "base/mem.h"
#include "base/str.h"
#include "load.h"
#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { PATH = 128, ANSWER_MS = 30000, WRONG_MAX = 100 };

static void complain(struct verify_result *v, const char *uuid, const char *step, const char *what, const json_t *found)
{
        v->wrong++;
        if (v->why[0])
                return;
        char text[120];
        size_t n = found ? json_dumpb(found, text, sizeof text - 1, JSON_ENCODE_ANY | JSON_COMPACT) : 0;
        text[n < sizeof text - 1 ? n : sizeof text - 1] = '\0';
        (void)snprintf(v->why, sizeof v->why, "task %s, step %s: %s: %s", uuid, step, what, n ? text : "nothing");
}

/* {"$holds": {…}} is an object with these members at least; anything else must be equal. */
static bool as_wanted(const json_t *want, const json_t *value)
{
        const json_t *members = json_object_get(want, "$holds"), *member;
        const char *key;
        if (!members)
                return json_equal(want, value);
        json_object_foreach((json_t *)(uintptr_t)members, key, member)
                if (!json_equal(json_object_get(value, key), member))
                        return false;
        return json_is_object(value);
}

static void check(const struct load_task *task, const json_t *steps, const json_t *expect, struct verify_result *v)
{
        size_t i;
        const json_t *step;
        size_t named = json_object_size(expect);
        const json_t *every = json_object_get(expect, "*");
        if (!json_array_size(steps) || (named && !every && json_array_size(steps) != named))
                complain(v, task->uuid, "(all)", "the number of steps is not what was expected", json_array_get(steps, 0));
        json_array_foreach(steps, i, step) {
                const char *name = json_string_value(json_object_get(step, "name"));
                const char *state = json_string_value(json_object_get(step, "current_state"));
                const json_t *value = json_object_get(json_object_get(step, "results"), "result");
                const json_t *want = name ? json_object_get(expect, name) : NULL;
                v->steps++;
                v->attempts += (uint64_t)json_integer_value(json_object_get(step, "attempts"));
                if (!name || !state || strcmp(state, "complete"))
                        complain(v, task->uuid, name ? name : "?", "it is not complete", json_object_get(step, "current_state"));
                else if (expect && !as_wanted(want ? want : every, value))
                        complain(v, task->uuid, name, "its result is not what was expected", value);
        }
}

static bool await(struct http *http)
{
        for (;;) {
                enum http_state state = http->waiting ? http_drive(http) : HTTP_DONE; /* it may have been there at once */
                if (state != HTTP_AGAIN)
                        return state == HTTP_DONE && http->status == 200;
                struct pollfd fd = {.fd = http->fd, .events = POLLIN};
                if (poll(&fd, 1, ANSWER_MS) <= 0)
                        return false;
        }
}

/* A request on every connection, then an answer from every one: the server works on all of them. */
void verify_run(const struct verify_plan *plan, const struct load_result *of, struct verify_result *ret)
{
        struct http *https = tk_calloc(plan->clients, sizeof *https);
        const struct load_task **asked = tk_calloc(plan->clients, sizeof *asked);
        *ret = (struct verify_result){0};
        for (unsigned i = 0; i < plan->clients; i++)
                http_init(&https[i]);
        for (size_t at = 0; at < of->n;) {
                unsigned n = 0;
                for (; n < plan->clients && at < of->n; at++) {
                        const struct load_task *task = &of->tasks[at];
                        char path[PATH];
                        if (!task->done || task->failed)
                                continue;
                        if (ret->wrong >= WRONG_MAX || (https[n].fd < 0 && http_connect(&https[n], &plan->target))) {
                                ret->unread++;
                                continue;
                        }
                        (void)snprintf(path, sizeof path, "/v1/tasks/%s/workflow_steps", task->uuid);
                        http_request(&https[n], &plan->target, "GET", path, NULL, 0);
                        (void)http_drive(&https[n]);
                        asked[n++] = task;
                }
                for (unsigned i = 0; i < n; i++) {
                        json_t *steps = await(&https[i]) ? json_loadb(https[i].body, https[i].body_len, 0, NULL) : NULL;
                        ret->tasks += steps != NULL;
                        if (steps) {
                                check(asked[i], steps, plan->expect ? plan->expect[asked[i]->body] : NULL, ret);
                        } else {
                                complain(ret, asked[i]->uuid, "(all)", "its steps could not be read", NULL);
                                close(https[i].fd);
                                https[i].fd = -1;
                        }
                        json_decref(steps);
                }
        }
        for (unsigned i = 0; i < plan->clients; i++)
                http_deinit(&https[i]);
        tk_free(asked);
        tk_free(https);
}
