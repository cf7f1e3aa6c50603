/* Resource record sets of Route 53 as values in the form of `records` (language.md,
 * route53_upsert), in one canonical form so that they can be compared: names in lower
 * case without the final dot, values sorted. */
#ifndef STEPS_AWS_RECORDS_H
#define STEPS_AWS_RECORDS_H

#include "../steps/aws/aws.h"

struct str record_name(
	struct arena *mem, struct str name); /* lower case, no final dot, \052 decoded */

/* From a step's argument, and from <ResourceRecordSet>. *strange: it has a routing that
 * `records` cannot say. */
struct value record_from_argument(struct arena *mem, const struct value *record);
struct value record_from_xml(struct arena *mem, const struct xml *set, bool *strange);
struct value record_absent(struct arena *mem,
	const struct value *record); /* {name, type, set?, absent: true} */

bool record_is_absent(const struct value *record);
bool record_same_place(const struct value *a,
	const struct value *b); /* the same name, type and set identifier */
const struct value *records_find(
	const struct value *list, const struct value *like); /* of the same place; NULL */
bool record_is_address(const struct value *record); /* A, AAAA, CNAME, HTTPS, SVCB */

/* <Change><Action>…</Action><ResourceRecordSet>…</ResourceRecordSet></Change> */
void record_write_change(struct buf *out, const char *action, const struct value *record);
char *record_text(struct arena *mem,
	const struct value *record); /* "app.example.org A": for messages */

/* What Route 53 would refuse, or what would be passed over: a routing without `set` or the
 * other way round, a ttl beside an alias, values that are none of the type, two records of
 * one place. Parts that are not known yet are left alone. */
bool records_check(const struct value *records, struct diags *diags);

#endif
