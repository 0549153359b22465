/* SPDX-License-Identifier: MIT */
/* metric/meters.h: the meters of run/meter.h on the pages of page.c. */
#pragma once
#include "base/buf.h"

void tk_metrics_text_meters(struct tk_buf *out);
/* "streams":[…],"connections":[…],"permits":[…], members of an object; each has `name`, figures, and, where there is one, `last`: the
 * statement that runs, or ran last. */
void tk_metrics_json_meters(struct tk_buf *out);
