/* SPDX-License-Identifier: MIT */
/* cli/when.h: moments as people write them: "+10m" from now, or RFC 3339 with its zone. */
#pragma once
#include "base/attr.h"
#include "base/time.h"

/* As the server takes it. 0, or -EINVAL for anything else. */
TK_MUST int cli_when_parse(const char *text, int64_t now_wall_ns, char ret_text[TK_TIME_TEXT]);
