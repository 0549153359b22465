/* SPDX-License-Identifier: MIT */
/* conf/expand.h: ${NAME} and ${NAME:-default} from the environment. */
#pragma once
#include "base/buf.h"
#include "base/err.h"

/* Appends the expanded text. 0, or -EINVAL with err naming the variable. */
TK_MUST int tk_conf_expand(const char *text, struct tk_buf *out, struct tk_err *err);
