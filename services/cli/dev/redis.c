/* SPDX-License-Identifier: MIT */
/* cli/dev/redis.c: a private Redis: a cache and a whisper, so nothing of it is kept. */
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/dev/dev.h"
#include "kv/kv.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define START_TIMEOUT_NS (10 * TK_NS_PER_S)
#define POLL_NS (5 * TK_NS_PER_MS)

static bool find(char ret[DEV_PATH])
{
        TK_AUTOFREE char *path = tk_strdup(getenv("PATH") ? getenv("PATH") : "/usr/bin");
        char *save = NULL;
        for (char *dir = strtok_r(path, ":", &save); dir; dir = strtok_r(NULL, ":", &save))
                if (snprintf(ret, DEV_PATH, "%s/redis-server", dir) < DEV_PATH && !access(ret, X_OK))
                        return true;
        return false;
}

static int wait_up(struct dev *dev, struct tk_err *err)
{
        int64_t deadline = tk_time_mono_ns() + START_TIMEOUT_NS;
        for (bool up = false; !up;) {
                struct tk_kv *kv = tk_kv_new(&(struct tk_kv_conf){.url = dev->redis_url});
                up = !tk_kv_ping(kv);
                tk_kv_free(kv);
                if (up)
                        return 0;
                if (dev_process_ended(&dev->redis) || tk_time_mono_ns() > deadline) {
                        dev_log_tail(stderr, dev->redis.log, 20);
                        return TK_ERR(err, -ETIMEDOUT, "Redis did not come up; its log is %s", dev->redis.log);
                }
                tk_time_sleep(POLL_NS);
        }
        return 0;
}

int dev_redis_start(struct dev *dev, struct tk_err *err)
{
        char program[DEV_PATH], port[16];
        (void)tk_str_copy(dev->redis.name, sizeof dev->redis.name, "redis");
        snprintf(dev->redis.log, sizeof dev->redis.log, "%.900s/logs/redis.log", dev->data);
        if (!find(program))
                return TK_ERR(err, -ENOENT, "redis-server is not installed; on Debian: apt-get install redis-server");
        int held = dev_port_hold(&dev->redis_port);
        snprintf(port, sizeof port, "%u", dev->redis_port);
        snprintf(dev->redis_url, sizeof dev->redis_url, "redis://127.0.0.1:%u", dev->redis_port);
        const char *const argv[] = {
                program,        "--port", port,          "--bind", "127.0.0.1",          "--save",      "",
                "--appendonly", "no",     "--maxmemory", "128mb",  "--maxmemory-policy", "allkeys-lru", NULL};
        int r = dev_process_start(&dev->redis, NULL, argv, err);
        if (!r)
                r = wait_up(dev, err);
        if (held >= 0)
                close(held);
        return r;
}
