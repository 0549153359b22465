/* SPDX-License-Identifier: MIT */
/* json/number.h: doubles as the shortest text that reads back as the same double, laid out as ECMAScript does (RFC 8785,
 * 3.2.2.3). */
#pragma once

enum { TK_JSON_NUMBER_TEXT = 48 };
/* value must be finite. Minus zero is "0". */
void tk_json_number_format(double value, char ret_text[TK_JSON_NUMBER_TEXT]);
