/* One line a row: "name nanoseconds", the best of several rounds. bench/aws runs it
 * beside botocore. usage: aws_bench ANSWER.xml */
#include <stdio.h>
#include <time.h>

#include "steps/aws/protocol.h"
#include "steps/aws/sigv4.h"

enum { ROUNDS = 50, TIMES = 50 };

struct bench {
	struct arena *mem; /* of one time */
	struct service *rds;
	const struct operation *describe;
	struct value params;
	struct http_answer answer;
	struct str body;
};

static double
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static bool
sign(struct bench *b)
{
	static const struct sigv4_keys keys = {.id = {"AKIDEXAMPLE", 11},
		.secret = {"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", 40}};
	struct header headers[] = {{"Host", "rds.us-east-1.amazonaws.com"},
		{"Content-Type", "application/x-www-form-urlencoded"}};
	struct sigv4 request = {.method = "POST",
		.path = STR("/"),
		.headers = headers,
		.n_headers = 2,
		.payload = sha256_hex(b->mem, b->body),
		.service = "rds",
		.region = "us-east-1",
		.at = INT64_C(1440938160000000)};
	return sigv4_header(b->mem, &request, &keys).signature != NULL;
}

static bool
say(struct bench *b)
{
	struct err err;
	struct protocol_request request;
	return protocol_write(b->mem, b->rds, b->describe, &b->params, &request, &err);
}

static bool
hear(struct bench *b)
{
	struct err err;
	struct value result;
	return protocol_read(b->mem, b->rds, b->describe, &b->answer, &result, &err);
}

static void
measure(const char *name, struct bench *b, bool (*work)(struct bench *b))
{
	double best = 1e18;
	for (int round = 0; round < ROUNDS; round++) {
		double start = now();
		for (int i = 0; i < TIMES; i++) {
			if (!work(b))
				printf("# %s failed\n", name);
			arena_reset(b->mem);
		}
		double took = (now() - start) / TIMES;
		best = took < best ? took : best;
	}
	printf("%s %.0f\n", name, best);
}

static bool
load(struct arena *mem, const char *path, struct str *out)
{
	struct buf text = buf_in(mem);
	char piece[4096];
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		return false;
	for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;)
		buf_add(&text, (struct str){piece, n});
	fclose(file);
	*out = buf_str(&text);
	return true;
}

int
main(int argc, char **argv)
{
	struct arena *mem = arena_new();
	struct bench b = {.mem = arena_new(),
		.rds = model_service(model_open(mem), STR("rds")),
		.body = STR("Action=DescribeDBInstances&Version=2014-10-31"
			    "&DBInstanceIdentifier=db1&MaxRecords=100")};
	struct map_builder params = {.mem = mem};
	b.describe = service_operation(b.rds, STR("DescribeDBInstances"));
	map_put(&params, "DBInstanceIdentifier", value_str(STR("db1")));
	map_put(&params, "MaxRecords", value_int(100));
	b.params = map_done(&params);
	b.answer.status = 200;
	if (argc < 2 || !load(mem, argv[1], &b.answer.body)) {
		fprintf(stderr, "usage: aws_bench ANSWER.xml\n");
		return 2;
	}
	measure("sign", &b, sign);
	measure("write", &b, say);
	measure("read", &b, hear);
	arena_free(b.mem);
	arena_free(mem);
	return 0;
}
