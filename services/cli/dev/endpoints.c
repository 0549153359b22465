/* SPDX-License-Identifier: MIT */
/* cli/dev/endpoints.c: where everything listens, for programs (endpoints.json, written whole and renamed) and for people. */
#include "base/buf.h"
#include "base/mem.h"
#include "cli/dev/dev.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void put_services(const struct dev *dev, enum dev_role role, const char *key, struct tk_buf *buf)
{
        const char *comma = "";
        tk_buf_printf(buf, "\"%s\":[", key);
        for (unsigned i = 0; i < dev->services_n; i++) {
                const struct dev_service *s = &dev->services[i];
                if (s->role != role)
                        continue;
                tk_buf_printf(
                        buf,
                        "%s{\"rest\":\"http://127.0.0.1:%u\",\"grpc\":\"127.0.0.1:%u\",\"pid\":%d,\"log\":\"%s\"}",
                        comma, s->rest_port, s->grpc_port, (int)s->process.pid, s->process.log);
                comma = ",";
        }
        tk_buf_puts(buf, "],");
}

int dev_endpoints_write(const struct dev *dev, struct tk_err *err)
{
        char path[DEV_PATH + 32], tmp[DEV_PATH + 32];
        TK_AUTOBUF struct tk_buf buf = {.max = 1 << 20};
        tk_buf_putc(&buf, '{');
        put_services(dev, DEV_ORCHESTRATOR, "orchestrators", &buf);
        put_services(dev, DEV_WORKER, "workers", &buf);
        put_services(dev, DEV_CACHE, "caches", &buf);
        tk_buf_printf(&buf,
                      "\"postgres\":\"%s\",\"postgres_socket\":\"%s\",\"redis\":\"%s\",\"postgres_pid\":%d,\"redis_pid\":%d,\"postgres_data\":"
                      "\"%s\",\"postgres_bin\":\"%s\",\"pid\":%d}\n",
                      dev->pg_url, dev->pg_socket_url, dev->redis_url, (int)dev->postgres.pid, (int)dev->redis.pid, dev->pg_data,
                      dev->pg_bin, (int)getpid());
        snprintf(path, sizeof path, "%s/endpoints.json", dev->data);
        snprintf(tmp, sizeof tmp, "%s/endpoints.json.tmp", dev->data);
        FILE *file = fopen(tmp, "we");
        if (!file)
                return TK_ERR(err, -errno, "%s: cannot be written: %s", tmp, strerror(errno));
        bool good = fwrite(buf.data, 1, buf.len, file) == buf.len;
        if (fclose(file) || !good || rename(tmp, path))
                return TK_ERR(err, -EIO, "%s: cannot be written", path);
        return 0;
}

void dev_endpoints_print(const struct dev *dev)
{
        static const char *const names[] = {
                [DEV_CACHE] = "cache", [DEV_ORCHESTRATOR] = "orchestrator", [DEV_WORKER] = "worker"};
        printf("\nTasker is ready.\n\n");
        for (unsigned i = 0; i < dev->services_n; i++) {
                const struct dev_service *s = &dev->services[i];
                printf("  %-14s http://127.0.0.1:%-6u gRPC 127.0.0.1:%-6u pid %d\n", names[s->role], s->rest_port,
                       s->grpc_port, (int)s->process.pid);
        }
        printf("  %-14s %s\n  %-14s %s\n  %-14s %s/logs\n\n", "postgres", dev->pg_url, "redis", dev->redis_url,
               "logs", dev->data);
        for (unsigned i = 0; i < dev->services_n; i++)
                if (dev->services[i].role == DEV_ORCHESTRATOR) {
                        printf("Try:  export TASKER_URL=http://127.0.0.1:%u\n      tasker template list\n      "
                               "tasker task submit --help\n\n",
                               dev->services[i].rest_port);
                        break;
                }
        fflush(stdout);
}

void dev_endpoints_remove(const struct dev *dev)
{
        char path[DEV_PATH + 32];
        snprintf(path, sizeof path, "%s/endpoints.json", dev->data);
        unlink(path);
}
