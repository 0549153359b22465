/* SPDX-License-Identifier: MIT */
/* tbl/channels.h: names on which our services whisper to each other: Redis channels and NOTIFY channels alike. */
#pragma once

#define TK_CHANNEL_HINT "tasker_hint"           /* orchestrators: "q <namespace>", "d <uuid> <uuid> …", "o <instance>" */
#define TK_CHANNEL_TEMPLATES "tasker_templates" /* "<namespace>/<name>/<version>": this version names another digest now */
