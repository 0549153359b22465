/* SPDX-License-Identifier: MIT */
/* model/spot.h: where in a document something stands, for messages: "orders.yaml:12:9: steps[2].retry.max_attempts: …".
 *
 * A spot is a member of an object or an element of an array, linked to the spot of that container; spots live on the
 * stack of whoever walks the document. Marks remember line and column per member; documents that come without
 * positions (stored JSON) have no marks, and messages then carry the path alone. */
#pragma once
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include <jansson.h>

struct tk_spot {
        const struct tk_spot *up; /* of the container; NULL: this is the document itself */
        const json_t *container;
        const char *key; /* NULL: element number `index` of an array */
        size_t index;
};
struct tk_mark {
        unsigned line, column; /* from 1 */
};
struct tk_document {
        const char *file;     /* NULL: messages name no file */
        json_t *root;         /* owned */
        struct tk_map *marks; /* or NULL; owned */
};

void tk_document_deinit(struct tk_document *document);
void tk_document_mark(struct tk_document *document, const json_t *container, const char *key, size_t index,
                      struct tk_mark mark);

/* Puts "file:line:column: path: " with the innermost position that is known. */
void tk_spot_put(const struct tk_document *document, const struct tk_spot *spot, struct tk_buf *buf);
/* Fills err with the place and the text, and returns -EINVAL. */
int tk_spot_wrong(const struct tk_document *document, const struct tk_spot *spot, struct tk_err *err, const char *fmt,
                  ...) TK_PRINTF(4, 5);
