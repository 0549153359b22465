/* SPDX-License-Identifier: MIT */
/* worker/abi/result.h: what a handler said, as the worker reads it afterwards. */
#pragma once
#include "base/err.h"
#include "json/json.h"
#include "worker/abi/tasker_worker.h"

enum work_verdict { WORK_NO_VERDICT, WORK_SUCCESS, WORK_RETRYABLE, WORK_PERMANENT, WORK_SUB_TASK, WORK_YIELD /* never leaves the worker */ };

struct tkw_result {
        enum work_verdict verdict;
        json_t *members;         /* object under construction */
        json_t *whole;           /* of tkw_success_json; NULL: the members are the result */
        char *type, *message, *code;
        json_t *details, *notes; /* objects; NULL: none */
        json_t *events;          /* payloads by name of the event, null: not to be published; NULL: none */
        uint32_t events_lost;    /* bit per event of the step: its publisher failed */
        json_t *batches;         /* cursor_configs under construction; NULL: none */
        json_t *cursor, *accumulated; /* of a yield */
        json_t *task;            /* of a sub-task: the request */
        int64_t items;
        int64_t retry_after_ms;  /* -1: not asked for */
        struct tk_err broken;    /* the first value that could not be taken; code 0: none */
};
void work_result_init(struct tkw_result *result);
void work_result_deinit(struct tkw_result *result);
/* Turns what the handler returned and said into a verdict: none, or an unusable value, becomes a failure. */
void work_result_conclude(struct tkw_result *result, int returned);
/* A success must say this member (the outcome of its kind of step), or it becomes a failure. */
void work_result_require(struct tkw_result *result, const char *member);
/* A member, taken over; NULL: it could not be made, and why. */
void work_result_put(struct tkw_result *result, const char *name, json_t *value, const char *why);
/* JSON text as a value; NULL with a member that says so: it is none. */
json_t *work_result_parse(struct tkw_result *result, const char *name, const char *text);
/* As the exported calls; for failures of the worker's own. */
void work_result_fail(struct tkw_result *result, enum work_verdict verdict, const char *type, const char *message);
