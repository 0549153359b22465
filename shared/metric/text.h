/* SPDX-License-Identifier: MIT */
/* metric/text.h: for lines with more than one label. */
#pragma once
#include "base/buf.h"

/* name="value", escaped. */
void tk_metrics_text_label_put(struct tk_buf *out, const char *name, const char *value);
