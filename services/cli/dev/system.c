/* SPDX-License-Identifier: MIT */
/* cli/dev/system.c: the three services in the order they need each other, each waited for. The first of a kind has the
 * well-known port (or none was asked for), replicas take any free one. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/dev/dev.h"
#include "json/json.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { GRPC_OFFSET = 1110 /* 8080 → 9190 */, SETTING = 1200, SETTINGS_MAX = 12, READY_MAX = 4096 };
#define START_TIMEOUT_NS (60 * TK_NS_PER_S)
#define POLL_NS (5 * TK_NS_PER_MS)

static const struct {
        const char *name, *program;
        int port_offset;
} roles[] = {
        [DEV_CACHE] = {"cache", "tasker-cache", 2},
        [DEV_ORCHESTRATOR] = {"orchestrator", "tasker-orchestrator", 0},
        [DEV_WORKER] = {"worker", "tasker-worker", 1},
};

struct settings {
        char text[SETTINGS_MAX][SETTING];
        unsigned n;
};

static void set(struct settings *s, const char *fmt, ...) TK_PRINTF(2, 3);
static void set(struct settings *s, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(s->text[s->n++], SETTING, fmt, ap);
        va_end(ap);
}

/* "127.0.0.1:9190,127.0.0.1:41233" of all services of a role. */
static void addresses(const struct dev *dev, enum dev_role role, struct tk_buf *ret)
{
        for (unsigned i = 0; i < dev->services_n; i++)
                if (dev->services[i].role == role)
                        tk_buf_printf(ret, "%s127.0.0.1:%u", ret->len ? "," : "", dev->services[i].grpc_port);
}

static void settings_of(const struct dev *dev, enum dev_role role, unsigned number, struct settings *s)
{
        bool known = dev->port_base && number == 1;
        TK_AUTOBUF struct tk_buf caches = {.max = SETTING}, orchestrators = {.max = SETTING};
        int rest = known ? dev->port_base + roles[role].port_offset : 0;
        addresses(dev, DEV_CACHE, &caches);
        addresses(dev, DEV_ORCHESTRATOR, &orchestrators);
        set(s, "rest.bind=127.0.0.1:%d", rest);
        set(s, "grpc.bind=127.0.0.1:%d", known ? rest + GRPC_OFFSET : 0);
        set(s, "instance.id=%s-%u", roles[role].name, number);
        if (role != DEV_WORKER) {
                set(s, "database.url=%s", dev->pg_socket_url);
                set(s, "redis.url=%s", dev->redis_url);
        }
        if (role != DEV_CACHE && caches.len)
                set(s, "cache.address=%s", tk_buf_str(&caches));
        if (role == DEV_WORKER) {
                set(s, "orchestrators=%s", tk_buf_str(&orchestrators));
                if (*dev->templates)
                        set(s, "templates.path=%s", dev->templates);
                if (*dev->handlers)
                        set(s, "handlers=%s", dev->handlers);
        }
}

static bool read_ready(struct dev_service *service)
{
        char text[READY_MAX];
        TK_AUTOJSON json_t *ready = NULL;
        FILE *file = fopen(service->process.ready, "re");
        if (!file)
                return false;
        size_t len = fread(text, 1, sizeof text, file);
        fclose(file);
        if (tk_json_parse(text, len, &tk_json_limits_default, &ready, NULL))
                return false;
        service->rest_port = (unsigned)tk_json_i64(ready, "rest_port", 0);
        service->grpc_port = (unsigned)tk_json_i64(ready, "grpc_port", 0);
        return true;
}

static int wait_ready(struct dev_service *service, struct tk_err *err)
{
        int64_t deadline = tk_time_mono_ns() + START_TIMEOUT_NS;
        while (!read_ready(service)) {
                if (dev_process_ended(&service->process) || tk_time_mono_ns() > deadline) {
                        dev_log_tail(stderr, service->process.log, 20);
                        return TK_ERR(err, -ETIMEDOUT,
                                      "%s %s; its log is %s (are its ports taken? --port-base 0 takes free ones)",
                                      service->process.name,
                                      service->process.pid ? "was not ready within 60 s" : "ended",
                                      service->process.log);
                }
                tk_time_sleep(POLL_NS);
        }
        return 0;
}

static int start(struct dev *dev, enum dev_role role, unsigned number, struct tk_err *err)
{
        struct dev_service *service = &dev->services[dev->services_n];
        TK_AUTOFREE struct settings *settings = TK_NEW(struct settings);
        char program[DEV_PATH + 32];
        const char *argv[DEV_ARGS] = {program};
        unsigned argc = 1;
        snprintf(program, sizeof program, "%s/%s", dev->bin, roles[role].program);
        settings_of(dev, role, number, settings);
        for (unsigned i = 0; i < settings->n; i++) {
                argv[argc++] = "--set";
                argv[argc++] = settings->text[i];
        }
        service->role = role;
        snprintf(service->process.name, sizeof service->process.name, "%s-%u", roles[role].name, number);
        char data[DEV_PATH]; /* the compiler cannot see that dev->data and dev->services never overlap */
        (void)tk_str_copy(data, sizeof data, dev->data);
        snprintf(service->process.log, sizeof service->process.log, "%.900s/logs/%s-%u.log", data, roles[role].name,
                 number);
        snprintf(service->process.ready, sizeof service->process.ready, "%.900s/%s-%u.ready", data,
                 roles[role].name, number);
        if (access(program, X_OK))
                return TK_ERR(err, -ENOENT, "%s is missing: build it first", program);
        int r = dev_process_start(&service->process, NULL, argv, err);
        if (r)
                return r;
        dev->services_n++;
        return 0;
}

static int start_all(struct dev *dev, enum dev_role role, unsigned n, struct tk_err *err)
{
        unsigned first = dev->services_n;
        int r = 0;
        for (unsigned i = 1; i <= n && !r; i++)
                r = start(dev, role, i, err);
        for (unsigned i = first; i < dev->services_n && !r; i++)
                r = wait_ready(&dev->services[i], err);
        return r;
}

int dev_system_start(struct dev *dev, struct tk_err *err)
{
        int r = start_all(dev, DEV_CACHE, 1, err);
        if (!r)
                r = start_all(dev, DEV_ORCHESTRATOR, dev->orchestrators, err);
        return r ? r : start_all(dev, DEV_WORKER, dev->workers, err);
}

/* All of a role are asked at once, then waited for. */
void dev_system_stop(struct dev *dev, int64_t deadline_ns)
{
        static const enum dev_role order[] = {DEV_WORKER, DEV_ORCHESTRATOR, DEV_CACHE};
        for (size_t k = 0; k < tk_countof(order); k++) {
                for (unsigned i = 0; i < dev->services_n; i++)
                        if (dev->services[i].role == order[k] && !dev_process_ended(&dev->services[i].process))
                                kill(dev->services[i].process.pid, SIGTERM);
                for (unsigned i = 0; i < dev->services_n; i++)
                        if (dev->services[i].role == order[k]) {
                                dev_process_stop(&dev->services[i].process, 0, deadline_ns);
                                unlink(dev->services[i].process.ready);
                        }
        }
}
