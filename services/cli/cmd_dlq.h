/* SPDX-License-Identifier: MIT */
#pragma once

int cli_cmd_dlq(int argc, char **argv);
