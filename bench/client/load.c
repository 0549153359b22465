/* SPDX-License-Identifier: MIT */
/* bench/client/load.c: one thread, one epoll; a slot per connection goes through submit and wait. */
#include "load.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "json/json.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { EVENTS = 256, PATH = 128, FIRST_TASKS = 4096, RETRY_NS = 50 * 1000 * 1000, WORD_MAX = 40, WHOLE_EVERY = 32 };

enum step { IDLE, SUBMIT, WAIT, PAUSE };

struct slot {
        struct http http;
        enum step step, after_pause;
        size_t task; /* index */
        int64_t pause_until_ns;
};

struct load {
        const struct load_plan *plan;
        struct load_result *result;
        struct slot *slots;
        int epoll;
        uint64_t run;
        size_t next_wait, left; /* LOAD_CREATE: whose end is asked for next; tasks that are not done */
        bool ending;
        int64_t report_ns;
        uint64_t reported;
};

static void note(struct load *l, const char *what, const struct http *http)
{
        if (!l->result->why[0])
                (void)snprintf(l->result->why, sizeof l->result->why, "%s: status %d: %.160s", what, http->status,
                               http->body ? http->body : "");
}

struct load_task *load_task_add(struct load_result *r)
{
        if (r->n == r->cap) {
                r->cap = r->cap ? r->cap * 2 : FIRST_TASKS;
                r->tasks = tk_realloc(r->tasks, r->cap, sizeof *r->tasks);
        }
        return &r->tasks[r->n++];
}

static size_t task_new(struct load *l, int64_t due_ns)
{
        size_t at = l->result->n;
        *load_task_add(l->result) = (struct load_task){.body = (uint16_t)(at / l->plan->turn % l->plan->bodies_n), .due_ns = due_ns};
        l->left++;
        return at;
}

static void send_request(struct load *l, struct slot *slot, const char *method, const char *path, const char *body, size_t len)
{
        if (slot->http.fd < 0) {
                if (http_connect(&slot->http, &l->plan->target))
                        return; /* the pause that follows tries again */
                struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = slot};
                (void)epoll_ctl(l->epoll, EPOLL_CTL_ADD, slot->http.fd, &e);
        }
        http_request(&slot->http, &l->plan->target, method, path, body, len);
        l->result->requests++;
}

static void pause_slot(struct slot *slot, enum step then, int64_t until_ns)
{
        slot->step = PAUSE;
        slot->after_pause = then;
        slot->pause_until_ns = until_ns;
}

static void begin(struct load *l, struct slot *slot)
{
        struct load_task *task = &l->result->tasks[slot->task];
        TK_AUTOBUF struct tk_buf body = {.max = 64 << 20};
        for (const char *from = l->plan->bodies[task->body], *at;; from = at + strlen("@RUN@")) {
                at = strstr(from, "@RUN@");
                tk_buf_put(&body, from, at ? (size_t)(at - from) : strlen(from));
                if (!at)
                        break;
                tk_buf_printf(&body, "%llu", (unsigned long long)(l->run + slot->task));
        }
        if (!task->begin_ns)
                task->begin_ns = tk_time_mono_ns();
        slot->step = SUBMIT;
        send_request(l, slot, "POST", "/v1/tasks", body.data, body.len);
}

static void ask(struct load *l, struct slot *slot)
{
        char path[PATH];
        (void)snprintf(path, sizeof path, "/v1/tasks/%s%s", l->result->tasks[slot->task].uuid, l->plan->poll_ms > 0 ? "" : "?wait=30s");
        slot->step = WAIT;
        send_request(l, slot, "GET", path, NULL, 0);
}

static bool may_begin(const struct load *l, int64_t now_ns)
{
        const struct load_plan *p = l->plan;
        return !l->ending && (!p->tasks || l->result->n < p->tasks) &&
               (p->seconds <= 0 || (double)(now_ns - l->result->begin_ns) < p->seconds * 1e9);
}

/* What an idle connection does next; false: nothing now. */
static bool next(struct load *l, struct slot *slot, int64_t now_ns)
{
        const struct load_plan *p = l->plan;
        if (may_begin(l, now_ns)) {
                int64_t due_ns = now_ns;
                if (p->mode == LOAD_OPEN) {
                        due_ns = l->result->begin_ns + (int64_t)((double)l->result->n / p->per_second * 1e9);
                        if (due_ns > now_ns)
                                return false;
                }
                slot->task = task_new(l, due_ns);
                begin(l, slot);
                return true;
        }
        while (p->mode == LOAD_CREATE && l->next_wait < l->result->n) {
                struct load_task *task = &l->result->tasks[l->next_wait];
                if (task->done) {
                        l->next_wait++;
                        continue;
                }
                if (!task->accepted_ns)
                        break; /* refused, or under way at another connection */
                slot->task = l->next_wait++;
                ask(l, slot);
                return true;
        }
        return false;
}

static void finish(struct load *l, struct slot *slot, bool failed, int64_t now_ns)
{
        struct load_task *task = &l->result->tasks[slot->task];
        task->done = true;
        task->failed = failed;
        task->done_ns = now_ns;
        l->result->failed += failed;
        l->left--;
        slot->step = IDLE;
}

/* A text of the answer, found without parsing the rest, but for one answer in WHOLE_EVERY: to measure must cost little, and values are
 * read afterwards (verify.c). False: not there, or not JSON. */
static bool answers(const struct load *l, const struct http *http, const char *key, char ret[WORD_MAX])
{
        const char *text;
        size_t len;
        if (http->status != 200 || !tk_json_member(http->body, http->body_len, key, &text, &len))
                return false;
        if (l->result->requests % WHOLE_EVERY == 0) {
                TK_AUTOJSON json_t *whole = json_loadb(http->body, http->body_len, 0, NULL);
                if (!whole)
                        return false;
        }
        if (len < 2 || len - 2 >= WORD_MAX || text[0] != '"' || text[len - 1] != '"')
                return false;
        memcpy(ret, text + 1, len - 2);
        ret[len - 2] = '\0';
        return true;
}

static void submitted(struct load *l, struct slot *slot, int64_t now_ns)
{
        struct load_task *task = &l->result->tasks[slot->task];
        const struct http *http = &slot->http;
        if (http->status == 503) {
                l->result->refused++;
                pause_slot(slot, SUBMIT, now_ns + (http->retry_after_s ? http->retry_after_s * TK_NS_PER_S : RETRY_NS));
                return;
        }
        char uuid[WORD_MAX];
        if (!answers(l, http, "task_uuid", uuid) || tk_str_copy(task->uuid, sizeof task->uuid, uuid)) {
                l->result->bad++;
                note(l, "submit", http);
                finish(l, slot, true, now_ns);
        } else {
                task->accepted_ns = now_ns;
                if (l->plan->mode == LOAD_CREATE)
                        slot->step = IDLE;
                else
                        ask(l, slot);
        }
}

static void looked(struct load *l, struct slot *slot, int64_t now_ns)
{
        struct load_task *task = &l->result->tasks[slot->task];
        const struct http *http = &slot->http;
        char status[WORD_MAX];
        bool known = answers(l, http, "status", status), over = false;
        static const char *const ends[] = {"complete", "error", "cancelled", "blocked_by_failures", "resolved_manually"};
        for (size_t i = 0; known && i < tk_countof(ends); i++)
                over |= !strcmp(status, ends[i]);
        if (over) {
                if (strcmp(status, "complete"))
                        note(l, "task", http);
                finish(l, slot, strcmp(status, "complete") != 0, now_ns);
        } else if (!known && http->status != 503) {
                l->result->bad++;
                note(l, "task", http);
                finish(l, slot, true, now_ns);
        } else if (now_ns - task->begin_ns > (int64_t)(l->plan->patience_s * 1e9)) {
                note(l, "not finished in time", http);
                finish(l, slot, true, now_ns);
        } else if (http->status == 503) {
                pause_slot(slot, WAIT, now_ns + RETRY_NS);
        } else if (l->plan->poll_ms > 0) {
                pause_slot(slot, WAIT, now_ns + (int64_t)(l->plan->poll_ms * 1e6));
        } else {
                ask(l, slot);
        }
}

/* Goes as far as it can without waiting. */
static void drive(struct load *l, struct slot *slot)
{
        for (;;) {
                int64_t now_ns = tk_time_mono_ns();
                if (slot->step == PAUSE) {
                        if (slot->pause_until_ns > now_ns)
                                return;
                        if (slot->after_pause == SUBMIT)
                                begin(l, slot);
                        else
                                ask(l, slot);
                }
                if (slot->step == IDLE && !next(l, slot, now_ns))
                        return;
                enum http_state state = slot->http.fd < 0 ? HTTP_BROKEN : http_drive(&slot->http);
                if (state == HTTP_AGAIN)
                        return;
                now_ns = tk_time_mono_ns();
                if (state == HTTP_BROKEN) {
                        l->result->broken++;
                        if (slot->http.fd >= 0)
                                close(slot->http.fd);
                        slot->http.fd = -1;
                        pause_slot(slot, slot->step, now_ns + RETRY_NS);
                        return;
                }
                l->result->bytes_in += slot->http.in.len;
                if (slot->step == SUBMIT)
                        submitted(l, slot, now_ns);
                else
                        looked(l, slot, now_ns);
        }
}

static void report(struct load *l, int64_t now_ns)
{
        if (!l->plan->progress || now_ns < l->report_ns)
                return;
        uint64_t done = l->result->n - l->left;
        (void)printf("{\"second\":%.0f,\"done\":%llu,\"open\":%zu,\"refused\":%llu,\"failed\":%llu}\n",
                     (double)(now_ns - l->result->begin_ns) / 1e9, (unsigned long long)(done - l->reported), l->left,
                     (unsigned long long)l->result->refused, (unsigned long long)l->result->failed);
        (void)fflush(stdout);
        l->reported = done;
        l->report_ns += TK_NS_PER_S;
}

/* When something happens that no socket tells: the next arrival, the end of a pause, the next report. */
static int64_t next_ns(const struct load *l, int64_t now_ns)
{
        const struct load_plan *p = l->plan;
        int64_t at = p->progress ? l->report_ns : now_ns + TK_NS_PER_S;
        if (p->mode == LOAD_OPEN && may_begin(l, now_ns)) {
                int64_t due_ns = l->result->begin_ns + (int64_t)((double)l->result->n / p->per_second * 1e9);
                at = due_ns < at ? due_ns : at;
        }
        for (unsigned i = 0; i < p->clients; i++)
                if (l->slots[i].step == PAUSE && l->slots[i].pause_until_ns < at)
                        at = l->slots[i].pause_until_ns;
        return at;
}

static void turn(struct load *l, int timer)
{
        struct epoll_event events[EVENTS];
        int64_t at = next_ns(l, tk_time_mono_ns());
        struct itimerspec spec = {.it_value = {.tv_sec = at / TK_NS_PER_S, .tv_nsec = at % TK_NS_PER_S}};
        (void)timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL);
        int n = epoll_wait(l->epoll, events, EVENTS, 1000);
        bool timed = false;
        for (int i = 0; i < n; i++) {
                if (events[i].data.ptr)
                        drive(l, events[i].data.ptr);
                else
                        timed = true;
        }
        if (timed || n <= 0) {
                uint64_t ticks;
                (void)!read(timer, &ticks, sizeof ticks);
        }
        /* Idle connections take what became due: arrivals, or tasks whose end nobody has asked for yet. */
        if (timed || l->plan->mode != LOAD_CLOSED)
                for (unsigned i = 0; i < l->plan->clients; i++)
                        if (l->slots[i].step == IDLE || l->slots[i].step == PAUSE)
                                drive(l, &l->slots[i]);
}

int load_run(const struct load_plan *plan, struct load_result *ret)
{
        *ret = (struct load_result){.begin_ns = tk_time_mono_ns()};
        struct load l = {.plan = plan, .result = ret, .slots = tk_zalloc(plan->clients * sizeof *l.slots), .report_ns = ret->begin_ns + TK_NS_PER_S};
        l.epoll = epoll_create1(EPOLL_CLOEXEC);
        int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), r = 0;
        struct epoll_event e = {.events = EPOLLIN};
        (void)epoll_ctl(l.epoll, EPOLL_CTL_ADD, timer, &e);
        l.run = tk_rand_u64() >> 12;
        for (unsigned i = 0; i < plan->clients; i++)
                http_init(&l.slots[i].http);
        r = http_connect(&l.slots[0].http, &plan->target); /* a wrong address is told at once */
        if (!r) {
                e = (struct epoll_event){.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = &l.slots[0]};
                (void)epoll_ctl(l.epoll, EPOLL_CTL_ADD, l.slots[0].http.fd, &e);
                ret->begin_ns = tk_time_mono_ns();
                for (unsigned i = 0; i < plan->clients; i++)
                        drive(&l, &l.slots[i]);
                while (l.left || may_begin(&l, tk_time_mono_ns())) {
                        turn(&l, timer);
                        report(&l, tk_time_mono_ns());
                }
        }
        ret->end_ns = tk_time_mono_ns();
        for (unsigned i = 0; i < plan->clients; i++)
                http_deinit(&l.slots[i].http);
        close(timer);
        close(l.epoll);
        tk_free(l.slots);
        return r;
}

void load_result_free(struct load_result *result)
{
        tk_free(result->tasks);
        result->tasks = NULL;
}
