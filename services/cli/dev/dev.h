/* SPDX-License-Identifier: MIT */
/* cli/dev/dev.h: `tasker dev`: the whole system on one machine. Files of this folder: dev.c (options and the order of
 * things), system.c (services), postgres.c, redis.c, places.c (where things lie), endpoints.c, process.c. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include "cli/dev/process.h"
#include <stdint.h>

enum { DEV_REPLICAS_MAX = 16, DEV_SERVICES_MAX = 3 * DEV_REPLICAS_MAX, DEV_URL = 512 };
enum dev_role { DEV_CACHE, DEV_ORCHESTRATOR, DEV_WORKER };

struct dev_service {
        enum dev_role role;
        struct dev_process process;
        unsigned rest_port, grpc_port;
};

struct dev {
        char data[DEV_PATH], pg_bin[DEV_PATH], pg_data[DEV_PATH], socket_dir[DEV_PATH], bin[DEV_PATH];
        char templates[DEV_PATH], handlers[DEV_PATH];
        struct dev_user pg_user;
        unsigned orchestrators, workers;
        int port_base;                  /* 8080 by default; 0: any free */
        struct dev_process postgres, redis;
        unsigned pg_port, redis_port;
        char pg_url[DEV_URL], pg_socket_url[DEV_URL], redis_url[DEV_URL];
        struct dev_service services[DEV_SERVICES_MAX];
        unsigned services_n;
};

/* places.c: where things lie. */
TK_MUST int dev_places(struct dev *dev, const char *data, const char *pg_bin, const char *templates,
                       const char *handlers, struct tk_err *err);
TK_MUST int dev_data_default(char ret[DEV_PATH], struct tk_err *err); /* $XDG_DATA_HOME/tasker/dev */
/* A free port of loopback that the kernel gives to nobody else until the descriptor is closed. A server that sets SO_REUSEADDR, as
 * both of ours do, may be told to listen on it meanwhile. -1 or port 0 when there is none. */
int dev_port_hold(unsigned *ret);
/* postgres.c, redis.c */
TK_MUST int dev_postgres_start(struct dev *dev, struct tk_err *err); /* with schema */
void dev_postgres_stop(struct dev *dev, int64_t deadline_ns);
TK_MUST int dev_redis_start(struct dev *dev, struct tk_err *err);
/* system.c: caches, orchestrators, workers; waits until each is ready. */
TK_MUST int dev_system_start(struct dev *dev, struct tk_err *err);
void dev_system_stop(struct dev *dev, int64_t deadline_ns);
/* endpoints.c */
TK_MUST int dev_endpoints_write(const struct dev *dev, struct tk_err *err);
void dev_endpoints_print(const struct dev *dev);
void dev_endpoints_remove(const struct dev *dev);
