/* SPDX-License-Identifier: MIT */
/* conf/env.h: the environment name of a key: "rest.port" is TASKER_REST_PORT. */
#pragma once
#include "base/check.h"
#include "conf/conf.h"
#include <ctype.h>
#include <stdio.h>

enum { TK_CONF_ENV_MAX = 128 };

static inline void tk_conf_env_name(const struct tk_conf_row *row, char ret_name[TK_CONF_ENV_MAX])
{
        int n = snprintf(ret_name, TK_CONF_ENV_MAX, "TASKER_%s", row->key);

        TK_CHECK(n > 0 && n < TK_CONF_ENV_MAX);
        for (char *at = ret_name; *at; at++)
                *at = *at == '.' || *at == '-' ? '_' : (char)toupper((unsigned char)*at);
}
