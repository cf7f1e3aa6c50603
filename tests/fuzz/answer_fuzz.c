/* Bytes as the answer of a service, for each protocol: a result or an error, never a
 * crash, and the same when it is read again. The first byte chooses the operation, the
 * second the status; lines "name: value" up to an empty one are headers, the rest is the
 * body. */
#include <stdio.h>
#include <stdlib.h>

#include "data/json.h"
#include "steps/aws/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { MOST_HEADERS = 16 };

static const struct { const char *service, *operation; } operations[] = {
	{"rds", "DescribeDBInstances"},
	{"ec2", "DescribeInstances"},
	{"dynamodb", "GetItem"},
	{"sqs", "ReceiveMessage"},
	{"lambda", "ListFunctions"},
	{"lambda", "Invoke"},
	{"s3", "GetObject"},
	{"s3", "ListObjectVersions"},
	{"s3", "GetBucketLocation"},
	{"route53", "ListResourceRecordSets"},
	{"cloudfront", "GetDistribution"},
	{"secretsmanager", "GetSecretValue"},
};

enum { N_OPERATIONS = sizeof operations / sizeof operations[0] };

static void
fail(const char *why)
{
	fprintf(stderr, "answer_fuzz: %s\n", why);
	abort();
}

static struct str
next_line(struct str *rest)
{
	struct str line = str_cut(*rest, '\n', rest);
	return (struct str){line.p, line.n - (line.n > 0 && line.p[line.n - 1] == '\r')};
}

/* As the HTTP client hands them on: names in lower case, no NUL. */
static struct http_answer
answer_of(struct arena *mem, int status, struct str text)
{
	struct header *headers = arena_array(mem, struct header, MOST_HEADERS);
	struct http_answer answer = {.status = status, .headers = headers};
	struct str rest = text, value;
	while (rest.n > 0 && answer.n_headers < MOST_HEADERS) {
		struct str line = next_line(&rest), name = str_cut(line, ':', &value);
		if (line.n == 0 || value.p == NULL)
			break;
		char *lower = str_cstr(mem, name);
		for (char *p = lower; *p != '\0'; p++)
			*p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
		headers[answer.n_headers++] =
			(struct header){lower, str_cstr(mem, str_trim(value))};
	}
	answer.body = rest;
	return answer;
}

/* What is kept of it is JSON. */
static void
keep(struct arena *mem, const struct value *v)
{
	struct value again;
	struct err err;
	const char *text = json_text(mem, v, JSON_COMPACT);
	/* A body of the greatest depth is deeper inside of its member. */
	if (!json_parse(mem, str_of(text), NULL, &again, &err) && err.code != ERR_LIMIT)
		fail(err.msg);
}

static void
read_both_ways(struct arena *mem, struct service *service,
	const struct operation *operation, const struct http_answer *answer)
{
	struct value first, second;
	struct protocol_refusal refusal;
	struct err err = {0};
	bool ok = protocol_read(mem, service, operation, answer, &first, &err);
	if (!ok && (err.code != ERR_PROTOCOL || err.msg[0] == '\0'))
		fail("an answer fails without saying why");
	if (protocol_read(mem, service, operation, answer, &second, &err) != ok)
		fail("another verdict when it is read again");
	if (ok && strcmp(json_text(mem, &first, JSON_COMPACT),
			  json_text(mem, &second, JSON_COMPACT))
			!= 0)
		fail("another result when it is read again");
	if (ok)
		keep(mem, &first);
	protocol_error(mem, service, operation, answer, &refusal);
	keep(mem, &refusal.members);
	protocol_error(mem, service, NULL, answer, &refusal);
}

static struct { struct arena *mem; struct model *model; } kept;

static void
drop(void)
{
	arena_free(kept.mem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (kept.mem == NULL) {
		kept.mem = arena_new();
		kept.model = model_open(kept.mem);
		atexit(drop);
	}
	if (n < 2)
		return 0;
	size_t which = (bytes[0] - (size_t)'a') % N_OPERATIONS;
	struct arena *mem = arena_new();
	struct service *service =
		model_service(kept.model, str_of(operations[which].service));
	const struct operation *operation =
		service_operation(service, str_of(operations[which].operation));
	struct http_answer answer = answer_of(mem, bytes[1] == '!' ? 400 : 200,
		(struct str){(const char *)bytes + 2, n - 2});
	read_both_ways(mem, service, operation, &answer);
	arena_free(mem);
	return 0;
}
