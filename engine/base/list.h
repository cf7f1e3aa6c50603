/* An intrusive doubly linked list: the links stand in what is linked, so that nothing is
 * allocated. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
	struct link *prev, *next;
};

static inline void
list_init(struct link *head)
{
	head->prev = head->next = head;
}

static inline bool
list_is_empty(const struct link *head)
{
	return head->next == head;
}

static inline void
list_append(struct link *head, struct link *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

static inline void
list_remove(struct link *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link->prev = link->next = link;
}

/* The struct of `type` whose member `member` is `link`. */
#define list_item(link, type, member) ((type *)((char *)(link) - offsetof(type, member)))

#endif
