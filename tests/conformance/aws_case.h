/* One case of AWS's protocol tests, as botocore keeps them: a suite is {metadata, shapes,
 * clientEndpoint, cases}; a case of requests has {given, params, serialized}, one of
 * answers {given, response, result | errorCode, errorMessage, error}. */
#ifndef TESTS_CONFORMANCE_AWS_CASE_H
#define TESTS_CONFORMANCE_AWS_CASE_H

#include "data/json.h"

/* What botocore says of a service and one of its operations, as lines of a model of one's
 * own (steps/aws/facts.h). The service is called "case". */
struct str facts_text(
	struct arena *mem, const struct value *suite, const struct value *operation);

/* NULL: passed; else why not. */
const char *case_run(
	struct arena *mem, const struct value *suite, const struct value *c);

/* ---- aws_same.c: is what came what was wanted? */
bool same_query(struct arena *mem, struct str want, struct str got); /* in any order */
bool same_json(struct arena *mem, struct str want, struct str got);
bool same_xml(struct arena *mem, struct str want, struct str got);
/* `want` is JSON: times as seconds, bytes as text, numbers that are none as words. */
bool same_value(const struct value *want, const struct value *got);

#endif
