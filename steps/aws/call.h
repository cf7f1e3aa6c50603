/* One operation of a service, by its model: written, signed and sent, its answer read, its
 * pages joined. What stands on it says which operation with which members, and gets maps
 * by the model's names. */
#ifndef STEPS_AWS_CALL_H
#define STEPS_AWS_CALL_H

#include "../steps/aws/aws.h"
#include "../steps/aws/pages.h"
#include "../steps/aws/protocol.h"

struct call {
	struct service *service;
	const struct operation *operation;
	struct value params; /* a map */
	bool all_pages;
	size_t most; /* bytes of an answer; 0: 16 MiB */
	const char *region; /* NULL: of the step, the profile, the environment */
	/* after call_take said STEP_DONE: */
	struct value result; /* null with an error */
	struct aws_error error; /* that the service answered with; code empty: none */
	struct value said; /* the error's members by the model; null: it has none */
	/* its own */
	struct aws_service who;
	struct pages pages;
	uint64_t bytes; /* of all pages so far */
};

/* `name`: "rds.DescribeDBInstances"; `with` NULL: nothing. Token members that are not
 * given take the step's key; members that only rbx reads are taken out. The model lives
 * in step->mem. ERR_UNKNOWN_NAME. */
bool call_begin(struct step *step, struct call *call, struct str name,
	const struct value *with, struct err *err);

/* "rds.DescribeDBInstances", for titles. */
const char *call_name(struct arena *mem, const struct call *call);

/* STEP_WAIT, or STEP_FAIL with step->err. */
enum verdict call_send(struct step *step, struct how how, struct now now, struct call *call);

/* Hand on the event of the slot. STEP_DONE: the service answered; STEP_WAIT: the next page
 * is asked for; else nothing came, or nothing that can be read, and step->err says it. */
enum verdict call_take(
	struct step *step, struct how how, const struct event *event, struct call *call);

/* Whether the service answered that it did what was asked, be its answer readable or not. */
bool call_was_taken(const struct call *call);

/* What to end with after an error that the service answered with: tells it. */
enum verdict
call_fail(struct step *step, const struct event *event, const struct call *call);

#endif
