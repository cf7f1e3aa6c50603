/* The pages of a long answer, fetched one after the other and joined (botocore
 * paginators-1). */
#ifndef STEPS_AWS_PAGES_H
#define STEPS_AWS_PAGES_H

#include "../steps/aws/model.h"

/* A list that goes over more pages than this never ends. */
enum { PAGES_MOST = 10000, PAGES_LISTS = 8 };

struct pages {
	const struct value *facts;
	struct value first; /* the result of the first page */
	struct list_builder lists[PAGES_LISTS];
	size_t n;                                     /* pages */
	uint64_t last;                                /* of the tokens: a hash */
};

/* false: the operation has no pages. */
bool pages_begin(struct service *service, const struct operation *operation,
	struct arena *mem, struct pages *pages);

/* One page has come. *more: `params` for the next one stand in *next. ERR_PROTOCOL: the
 * same tokens came twice; ERR_LIMIT: too many pages. */
bool pages_add(struct arena *mem, struct pages *pages, const struct value *params,
	const struct value *result, bool *more, struct value *next, struct err *err);

/* The first result with all lists joined and without what asks for more. */
struct value pages_result(struct arena *mem, const struct pages *pages);

/* Whether a result says that there is more, of which only a part was asked. */
bool pages_is_cut(struct arena *mem, struct service *service,
	const struct operation *operation, const struct value *result);

#endif
