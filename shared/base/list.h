/* SPDX-License-Identifier: MIT */
/* base/list.h: intrusive circular doubly linked list. An initialised node that is in no list points at itself. */
#pragma once
#include "base/attr.h"
#include <stdbool.h>
#include <stddef.h>

struct tk_list {
        struct tk_list *next, *prev;
};
#define TK_LIST_INIT(name) {&(name), &(name)}

static inline void tk_list_init(struct tk_list *list) { list->next = list->prev = list; }
static inline bool tk_list_empty(const struct tk_list *list) { return list->next == list; }
static inline void tk_list_append(struct tk_list *list, struct tk_list *node)
{
        node->prev = list->prev;
        node->next = list;
        list->prev->next = node;
        list->prev = node;
}
static inline void tk_list_prepend(struct tk_list *list, struct tk_list *node) { tk_list_append(list->next, node); }
static inline void tk_list_remove(struct tk_list *node)
{
        node->prev->next = node->next;
        node->next->prev = node->prev;
        tk_list_init(node);
}
/* Moves all nodes of `from` to the end of `to`; `from` is empty afterwards. */
static inline void tk_list_splice(struct tk_list *to, struct tk_list *from)
{
        if (tk_list_empty(from))
                return;
        from->next->prev = to->prev;
        to->prev->next = from->next;
        from->prev->next = to;
        to->prev = from->prev;
        tk_list_init(from);
}
static inline struct tk_list *tk_list_pop(struct tk_list *list) /* NULL when empty */
{
        struct tk_list *node = list->next;
        if (node == list)
                return NULL;
        tk_list_remove(node);
        return node;
}
#define tk_list_entry(node, type, member) tk_container_of(node, type, member)
/* The current node may be removed while walking. */
#define tk_list_each(node, list)                                                                             \
        for (struct tk_list *node = (list)->next, *tk_next_##node = node->next; node != (list);              \
             node = tk_next_##node, tk_next_##node = node->next)
