/* SPDX-License-Identifier: MIT */
/* tests/lib/handlers/events.c: a step that publishes what the test says, a publisher that does, and subscribers that write down what
 * they get, are slow on purpose or fail. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <tasker/worker.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 512, SLICE_NS = 5000000 };

int publish(struct tkw_context *ctx, struct tkw_result *result);

/* Answers {"payload": …} of the context. `failures`: so many attempts fail; `for_good`: then and there. `given`: payloads by event. */
int publish(struct tkw_context *ctx, struct tkw_result *result)
{
        int64_t failures = 0, hang_ms = 0;
        bool for_good = false;
        const struct tkw_value *given = tkw_input(ctx, "given"), *payload;
        (void)tkw_i64(tkw_input(ctx, "failures"), &failures);
        (void)tkw_i64(tkw_input(ctx, "hang_ms"), &hang_ms);
        (void)tkw_bool(tkw_input(ctx, "for_good"), &for_good);
        for (const char *name = NULL; (payload = tkw_next(given, &name));)
                tkw_event_payload(result, name, tkw_type(payload) == TKW_NULL ? NULL : tkw_json(ctx, payload));
        for (struct timespec slice = {.tv_nsec = SLICE_NS}; hang_ms > 0; hang_ms -= 5)
                nanosleep(&slice, NULL);
        if (tkw_info(ctx)->attempt <= failures) {
                tkw_set_code(result, "E42");
                tkw_set_detail(result, "where", "\"here\"");
                return for_good ? tkw_permanent(result, "TestError", "for good")
                                : tkw_retryable(result, "TestError", "attempt %u", tkw_info(ctx)->attempt);
        }
        return tkw_success_json(result, tkw_json(ctx, tkw_input(ctx, "payload")));
}

/* Does as the payload's `how` says: skip, fail, or add to it. */
static int test_publisher(struct tkw_context *ctx, const struct tkw_occasion *occasion, struct tkw_result *payload)
{
        const char *how = tkw_str(tkw_get(occasion->payload, "how"));
        if (how && !strcmp(how, "skip"))
                return TKW_SKIP;
        if (how && !strcmp(how, "fail"))
                return tkw_permanent(payload, "PublisherError", "as it was told");
        tkw_put_str(payload, "event", occasion->event);
        tkw_put_str(payload, "step", tkw_info(ctx)->step_name);
        tkw_put_bool(payload, "success", occasion->success);
        tkw_put_value(payload, "before", occasion->payload);
        return tkw_success(payload);
}

/* "name id task step" into the file the payload names as `journal`. */
static int record(struct tkw_event *event, void *user)
{
        const char *path = tkw_str(tkw_event_data(event, "journal"));
        char line[LINE_MAX_BYTES];
        (void)user;
        int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644) : -1;
        if (fd < 0)
                return 0;
        int len = snprintf(line, sizeof line, "%s %s %s %s\n", tkw_event_name(event), tkw_event_id(event),
                           tkw_str(tkw_event_metadata(event, "task_uuid")), tkw_str(tkw_event_metadata(event, "step_name")));
        int r = write(fd, line, (size_t)len) != len;
        close(fd);
        return r;
}

/* Waits while the file that the payload names as `gate` is there. */
static int wait_at_gate(struct tkw_event *event, void *user)
{
        const char *gate = tkw_str(tkw_event_data(event, "gate"));
        (void)user;
        for (struct timespec slice = {.tv_nsec = SLICE_NS}; gate && !access(gate, F_OK);)
                nanosleep(&slice, NULL);
        return record(event, NULL);
}

static int refuse(struct tkw_event *event, void *user)
{
        (void)record(event, user);
        return 7;
}

const struct tkw_events *tasker_events_v1(void)
{
        static const struct tkw_publisher publishers[] = {{.name = "Test::Publisher", .fn = test_publisher}};
        static const struct tkw_subscriber subscribers[] = {
                {.name = "recorder", .pattern = "test.**", .fn = record},
                {.name = "at_gate", .pattern = "gate.*", .fn = wait_at_gate},
                {.name = "refuser", .pattern = "test.done", .fn = refuse},
        };
        static const struct tkw_events events = {
                .abi = TKW_ABI, .publishers = publishers, .publishers_n = 1, .subscribers = subscribers, .subscribers_n = 3};
        return &events;
}
