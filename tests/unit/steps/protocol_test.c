/* What is written is read back the same; what is of a wrong kind is an error, both ways.
 */
#include "../unit.h"

#include <math.h>
#include <zlib.h>

#include "data/json.h"
#include "steps/aws/protocol.h"

enum { ROUNDS = 200, DEPTH = 3 };

/* One structure with all there is, that goes out and comes back. */
static const char shapes[] =
	"shape All\t{\"type\":\"structure\",\"members\":{"
	"\"text\":\"Text\",\"int\":\"Int\","
	"\"float\":\"Float\",\"bool\":\"Bool\",\"time\":\"Time\",\"date\":\"Date\","
	"\"second\":\"Second\",\"blob\":\"Blob\",\"list\":\"Texts\",\"all\":\"All\","
	"\"others\":\"Others\",\"named\":{\"shape\":\"Text\",\"locationName\":\"Other\"},"
	"\"map\":\"Map\"}}\n"
	"shape Blob\t{\"type\":\"blob\"}\n"
	"shape Bool\t{\"type\":\"boolean\"}\n"
	"shape Date\t{\"type\":\"timestamp\",\"timestampFormat\":\"rfc822\"}\n"
	"shape Float\t{\"type\":\"double\"}\n"
	"shape Int\t{\"type\":\"long\"}\n"
	"shape Map\t{\"type\":\"map\",\"key\":\"Text\",\"value\":\"All\"}\n"
	"shape Others\t{\"type\":\"list\",\"member\":\"All\"}\n"
	"shape Second\t{\"type\":\"timestamp\",\"timestampFormat\":\"unixTimestamp\"}\n"
	"shape Text\t{\"type\":\"string\"}\n"
	"shape Texts\t{\"type\":\"list\",\"member\":\"Text\"}\n"
	"shape Time\t{\"type\":\"timestamp\"}\n"
	"shape Top\t{\"type\":\"structure\",\"members\":{"
	"\"count\":{\"shape\":\"Int\","
	"\"location\":\"header\",\"locationName\":\"X-Count\"},"
	"\"words\":{\"shape\":\"Texts\","
	"\"location\":\"header\",\"locationName\":\"X-Words\"},"
	"\"when\":{\"shape\":\"Time\","
	"\"location\":\"header\",\"locationName\":\"X-When\"},"
	"\"meta\":{\"shape\":\"Meta\","
	"\"location\":\"headers\",\"locationName\":\"x-meta-\"},"
	"\"all\":\"All\"}}\n"
	"shape Meta\t{\"type\":\"map\",\"key\":\"Text\",\"value\":\"Text\"}\n";

static int
setup(void **state)
{
	*state = arena_new();
	return 0;
}

static int
teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static struct service *
service_of(struct arena *mem, const char *protocol)
{
	struct err err;
	struct model *model = model_open(mem);
	const char *text = arena_printf(mem,
		"operation Echo\t{\"http\":\"POST /echo\","
		"\"input\":\"%s\",\"output\":\"%s\"}\n"
		"operation Get\t{\"http\":\"GET /{text}/x?list\",\"input\":\"Path\"}\n"
		"service echo\t{\"id\":\"Echo\",\"protocol\":\"%s\",\"version\":\"1\","
		"\"jsonVersion\":\"1.1\",\"targetPrefix\":\"Echo\"}\n%s"
		"shape Path\t{\"type\":\"structure\",\"members\":{"
		"\"text\":{\"shape\":\"Text\","
		"\"location\":\"uri\"}}}\n",
		strncmp(protocol, "rest", 4) == 0 ? "Top" : "All",
		strncmp(protocol, "rest", 4) == 0 ? "Top" : "All", protocol, shapes);
	assert_ok(facts_add(model_facts(model), "echo", str_of(text), &err));
	return model_service(model, STR("echo"));
}

/* ---- random values of a shape */

struct dice { struct arena *mem; struct service *service; uint64_t seed; };

static uint64_t
throw(struct dice *d, uint64_t below)
{
	d->seed ^= d->seed << 13;
	d->seed ^= d->seed >> 7;
	d->seed ^= d->seed << 17;
	return d->seed % below;
}

static struct value
any_text(struct dice *d, bool is_header)
{
	static const char *const pieces[] = {
		"a", "Ü", "😹", "<&>\"'", " ", ",", "\\", "z", "]]>", "\n", "\t", "%41"};
	struct buf out = buf_in(d->mem);
	size_t n = 1 + throw(d, 6);
	buf_puts(&out, "x");
	for (size_t i = 0; i < n; i++)
		buf_puts(&out, pieces[throw(d, is_header ? 9 : 12)]);
	buf_puts(&out, "x");
	return value_str(buf_str(&out));
}

static struct value
any_float(struct dice *d)
{
	static const double odd[] = {0.0, -0.5, 1e300, 5e-324, 0.1, INFINITY, -INFINITY};
	return value_double(odd[throw(d, sizeof odd / sizeof odd[0])]);
}

static struct value
any(struct dice *d, const struct shape_ref *ref, unsigned depth);

static struct value
any_structure(struct dice *d, const struct shape *shape, unsigned depth)
{
	struct map_builder map = {.mem = d->mem};
	for (size_t i = 0; i < shape->n_members; i++)
		if (throw(d, 2) == 0)
			map_put(&map, shape->members[i].name,
				any(d, &shape->members[i], depth + 1));
	return map_done(&map);
}

static struct value
any_list(struct dice *d, const struct shape *shape, unsigned depth)
{
	struct list_builder list = {.mem = d->mem};
	for (size_t n = 1 + throw(d, 3); depth < DEPTH && n > 0; n--)
		list_push(&list, any(d, &shape->item, depth + 1));
	return list_done(&list);
}

static struct value
any_map(struct dice *d, const struct shape *shape, unsigned depth)
{
	struct map_builder map = {.mem = d->mem};
	for (size_t n = 1 + throw(d, 3); depth < DEPTH && n > 0; n--)
		map_put(&map, arena_printf(d->mem, "k%zu", n),
			any(d, &shape->value, depth + 1));
	return map_done(&map);
}

static struct value
any(struct dice *d, const struct shape_ref *ref, unsigned depth)
{
	const struct shape *shape = service_shape(d->service, ref->shape);
	bool is_header = depth <= 2 && strcmp(shape->name, "All") != 0;
	struct span time = {(int64_t)throw(d, 4000000000) - 1000000000, 0};
	switch (shape->kind) {
	case SHAPE_STRUCTURE: return any_structure(d, shape, depth);
	case SHAPE_LIST: return any_list(d, shape, depth);
	case SHAPE_MAP: return any_map(d, shape, depth);
	case SHAPE_TEXT: return any_text(d, is_header);
	case SHAPE_INT: return value_int((int64_t)(throw(d, 4) << 61) - 7);
	case SHAPE_FLOAT: return any_float(d);
	case SHAPE_BOOL: return value_bool(throw(d, 2) == 1);
	case SHAPE_BLOB: return value_bytes(any_text(d, false).str);
	case SHAPE_TIME:
		if (shape->time != TIME_RFC822 && ref->place == IN_BODY)
			time.ns = (int32_t)throw(d, 1000) * 1000000;
		return value_timestamp(time);
	}
	return value_null();
}

/* A request as the answer that says the same. */
static struct http_answer
answer_of(struct arena *mem, const struct protocol_request *request)
{
	struct header *headers = arena_array(mem, struct header, request->n_headers + 1);
	for (size_t i = 0; i < request->n_headers; i++) {
		char *name = arena_strdup(mem, request->headers[i].name);
		for (char *p = name; *p != '\0'; p++)
			*p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
		headers[i] = (struct header){name, request->headers[i].value};
	}
	return (struct http_answer){.status = 200,
		.headers = headers,
		.n_headers = request->n_headers,
		.body = request->body};
}

static void
goes_round(struct arena *mem, const char *protocol)
{
	struct service *service = service_of(mem, protocol);
	const struct operation *echo = service_operation(service, STR("Echo"));
	struct dice d = {mem, service, UINT64_C(0x9e3779b97f4a7c15)};
	for (int i = 0; i < ROUNDS; i++) {
		struct err err = {0};
		struct protocol_request request;
		struct value said = any(&d, &echo->input, 0), heard;
		assert_ok(protocol_write(mem, service, echo, &said, &request, &err));
		struct http_answer answer = answer_of(mem, &request);
		assert_ok(protocol_read(mem, service, echo, &answer, &heard, &err));
		if (!value_equal(&said, &heard))
			fail_msg("%s round %d: said\n%s\nheard\n%s\nas\n%.*s", protocol,
				i, json_text(mem, &said, JSON_SORT),
				json_text(mem, &heard, JSON_SORT), STR_FMT(request.body));
	}
}

static void
json_goes_round(void **state)
{
	goes_round(*state, "json");
}

static void
rest_json_goes_round(void **state)
{
	goes_round(*state, "rest-json");
}

static void
rest_xml_goes_round(void **state)
{
	goes_round(*state, "rest-xml");
}

/* ---- wrong kinds */

static const char *const protocols[] = {
	"query", "ec2", "json", "rest-json", "rest-xml", NULL};

static struct value
parsed(struct arena *mem, const char *json)
{
	struct err err;
	struct value v;
	assert_ok(json_parse(mem, str_of(json), NULL, &v, &err));
	return v;
}

/* Params with `member` of All, where the protocol has it. */
static struct value
params_with(struct arena *mem, const char *protocol, const char *json)
{
	bool is_rest = strncmp(protocol, "rest", 4) == 0;
	return parsed(mem, is_rest ? arena_printf(mem, "{\"all\":%s}", json) : json);
}

static void
wrong_params_are_refused(void **state)
{
	static const char *const wrong[] = {"{\"text\":[\"a\"]}", "{\"text\":{\"a\":1}}",
		"{\"int\":\"five\"}", "{\"int\":1.5}", "{\"int\":true}", "{\"int\":[1]}",
		"{\"float\":\"much\"}", "{\"float\":{}}", "{\"bool\":\"true\"}",
		"{\"bool\":1}", "{\"time\":\"tomorrow\"}", "{\"time\":true}",
		"{\"date\":1e18}", "{\"list\":\"a\"}", "{\"list\":{\"a\":1}}",
		"{\"list\":[[1]]}", "{\"all\":\"a\"}", "{\"all\":[]}", "{\"map\":[1]}",
		"{\"others\":[1]}", "{\"map\":{\"a\":1}}",
		"{\"all\":{\"all\":{\"int\":\"x\"}}}",
		NULL};
	for (size_t p = 0; protocols[p] != NULL; p++) {
		struct service *service = service_of(*state, protocols[p]);
		const struct operation *echo = service_operation(service, STR("Echo"));
		for (size_t i = 0; wrong[i] != NULL; i++) {
			struct err err = {0};
			struct protocol_request request;
			struct value v = params_with(*state, protocols[p], wrong[i]);
			if (protocol_write(*state, service, echo, &v, &request, &err))
				fail_msg("%s writes %s", protocols[p], wrong[i]);
			assert_int_equal(err.code, ERR_VALUE);
		}
	}
}

static void
odd_params_do_no_harm(void **state)
{
	struct arena *mem = *state;
	const struct member odd[] = {{value_int(7), value_str(STR("seven"))},
		{value_bool(true), value_null()}};
	struct value map = value_map(mem, odd, 2), opt = {.kind = V_OPTIONAL},
		     unknown = value_unknown(STR("not yet"));
	const struct value *const values[] = {&map, &opt, &unknown, NULL};
	for (size_t p = 0; protocols[p] != NULL; p++)
		for (size_t i = 0; values[i] != NULL; i++) {
			struct service *service = service_of(mem, protocols[p]);
			const struct shape *all = service_shape(service, "All");
			for (size_t m = 0; m < all->n_members; m++) {
				struct err err = {0};
				struct protocol_request request;
				struct map_builder params = {.mem = mem},
						   top = {.mem = mem};
				map_put(&params, all->members[m].name, *values[i]);
				map_put(&top, "all", map_done(&params));
				struct value said = strncmp(protocols[p], "rest", 4) == 0
					? map_done(&top)
					: map_done(&params);
				bool ok = protocol_write(mem, service,
					service_operation(service, STR("Echo")), &said,
					&request, &err);
				assert_true(values[i] != &unknown || !ok);
				assert_true(values[i] != &opt || ok);
			}
		}
}

static void
wrong_answers_are_errors(void **state)
{
	static const char *const json[] = {"[]", "7", "{\"int\":\"x\"}", "{\"int\":{}}",
		"{\"list\":{}}", "{\"all\":[]}", "{\"map\":[]}", "{\"time\":\"soon\"}",
		"{\"blob\":\"!\"}", "{\"bool\":\"maybe\"}", "{\"text\":{}", "{",
		"nul", NULL};
	static const char *const xml[] = {"<R><int>x</int></R>",
		"<R><time>soon</time></R>", "<R><bool>maybe</bool></R>",
		"<R><blob>!</blob></R>", "<R><map><entry><key>a</key></entry></map></R>",
		"<R><int>", "text", "<!DOCTYPE x><R/>", NULL};
	for (size_t p = 0; p < 3; p++) {
		struct service *service = service_of(*state, protocols[p]);
		const char *const *wrong = p == 2 ? json : xml;
		for (size_t i = 0; wrong[i] != NULL; i++) {
			struct err err = {0};
			struct value heard;
			struct http_answer answer = {
				.status = 200, .body = str_of(wrong[i])};
			if (protocol_read(*state, service,
				    service_operation(service, STR("Echo")), &answer,
				    &heard, &err))
				fail_msg("%s reads %s", protocols[p], wrong[i]);
			assert_int_equal(err.code, ERR_PROTOCOL);
			assert_non_null(strstr(err.msg, "what Echo answered"));
		}
	}
}

/* ---- path, headers, text */

static void
the_path_must_be_whole(void **state)
{
	struct err err = {0};
	struct protocol_request request;
	struct service *service = service_of(*state, "rest-json");
	const struct operation *get = service_operation(service, STR("Get"));
	struct value none = parsed(*state, "{}"),
		     empty = parsed(*state, "{\"text\":\"\"}"),
		     odd = parsed(*state, "{\"text\":\"a/b ?\"}");
	assert_false(protocol_write(*state, service, get, &none, &request, &err));
	assert_non_null(strstr(err.msg, "'text' stands in the path"));
	assert_false(protocol_write(*state, service, get, &empty, &request, &err));
	assert_ok(protocol_write(*state, service, get, &odd, &request, &err));
	assert_str(request.path, "/a%2Fb%20%3F/x");
	assert_str(request.query, "list=");
	assert_null(request.content_type);
}

static void
no_value_makes_a_header_of_its_own(void **state)
{
	static const char *const wrong[] = {"{\"words\":[\"a\\r\\nX-Evil: 1\"]}",
		"{\"meta\":{\"a\":\"b\\nc\"}}", "{\"meta\":{\"a: b\\nX\":\"c\"}}", NULL};
	struct service *service = service_of(*state, "rest-xml");
	for (size_t i = 0; wrong[i] != NULL; i++) {
		struct err err = {0};
		struct protocol_request request;
		struct value v = parsed(*state, wrong[i]);
		assert_false(protocol_write(*state, service,
			service_operation(service, STR("Echo")), &v, &request, &err));
		assert_int_equal(err.code, ERR_VALUE);
	}
}

/* A number of YAML in the place of text is what was written. */
static void
text_is_as_it_was_written(void **state)
{
	struct err err = {0};
	struct protocol_request request;
	struct source source = {.name = "x", .text = STR("15.10")};
	struct service *rds = model_service(model_open(*state), STR("rds"));
	struct map_builder map = {.mem = *state};
	struct value version = value_double(15.10), params;
	version.raw = "15.10";
	version.source = &source;
	map_put(&map, "EngineVersion", version);
	params = map_done(&map);
	assert_ok(protocol_write(*state, rds,
		service_operation(rds, STR("ModifyDBInstance")), &params, &request,
		&err));
	assert_str(request.body,
		"Action=ModifyDBInstance&Version=2014-10-31&EngineVersion=15.10");
}

static void
a_large_body_is_compressed(void **state)
{
	struct err err = {0};
	struct protocol_request small, large;
	struct service *cloudwatch = model_service(model_open(*state), STR("cloudwatch"));
	const struct operation *put = service_operation(cloudwatch, STR("PutMetricData"));
	struct buf text = buf_in(*state);
	char back[32768] = "";
	uLongf n = sizeof back;
	struct value params = parsed(*state, "{\"Namespace\":\"x\"}");
	assert_ok(protocol_write(*state, cloudwatch, put, &params, &small, &err));
	assert_str(small.body, "{\"Namespace\":\"x\"}");
	buf_fill(&text, 'y', 20000);
	params = parsed(*state,
		arena_printf(*state, "{\"Namespace\":\"%s\"}", buf_cstr(&text)));
	assert_ok(protocol_write(*state, cloudwatch, put, &params, &large, &err));
	assert_int_equal(large.n_headers, small.n_headers + 1);
	assert_string_equal(large.headers[small.n_headers].name, "Content-Encoding");
	z_stream z = {.next_in = (Bytef *)large.body.p,
		.avail_in = (uInt)large.body.n,
		.next_out = (Bytef *)back,
		.avail_out = (uInt)n};
	assert_int_equal(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	inflateEnd(&z);
	assert_string_equal(back, json_text(*state, &params, JSON_COMPACT));
}

/* ---- errors, as services answer them */

static struct protocol_refusal
refusal_of(struct arena *mem, const char *service, const char *operation,
	const char *header, const char *body)
{
	struct protocol_refusal out;
	struct service *s = model_service(model_open(mem), str_of(service));
	struct header headers[] = {
		{header, "AWS.SimpleQueueService.NonExistentQueue;Sender"}};
	struct http_answer answer = {.status = 400,
		.headers = headers,
		.n_headers = header != NULL,
		.body = str_of(body)};
	protocol_error(mem, s, service_operation(s, str_of(operation)), &answer, &out);
	return out;
}

static void
errors_are_told(void **state)
{
	struct protocol_refusal r = refusal_of(*state, "route53",
		"ChangeResourceRecordSets", NULL,
		"<InvalidChangeBatch "
		"xmlns='https://route53.amazonaws.com/doc/2013-04-01/'>"
		"<Messages><Message>it is there</Message></Messages>"
		"<RequestId>7</RequestId></InvalidChangeBatch>");
	assert_str(r.code, "InvalidChangeBatch");
	assert_str(r.message, "it is there");
	assert_str(r.request_id, "7");
	r = refusal_of(*state, "s3", "GetObject", NULL,
		"<Error><Code>NoSuchKey</Code><Message>no</Message>"
		"<RequestId>8</RequestId></Error>");
	assert_str(r.code, "NoSuchKey");
	assert_str(r.request_id, "8");
	r = refusal_of(*state, "sqs", "SendMessage", "x-amzn-query-error",
		"{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\","
		"\"message\":\"gone\"}");
	assert_str(r.code, "AWS.SimpleQueueService.NonExistentQueue");
	assert_str(r.message, "gone");
	assert_str(value_get_str(&r.members, "message"), "gone");
	r = refusal_of(*state, "ec2", "DescribeInstances", NULL, "<html>502</html>");
	assert_int_equal(r.code.n, 0);
}

static void
secrets_are_marked(void **state)
{
	struct err err = {0};
	struct value heard;
	struct service *s = model_service(model_open(*state), STR("secretsmanager"));
	struct http_answer answer = {.status = 200,
		.body = STR("{\"Name\":\"db\",\"SecretString\":\"s3cr3t\"}")};
	assert_ok(protocol_read(*state, s, service_operation(s, STR("GetSecretValue")),
		&answer, &heard, &err));
	assert_true(value_get(&heard, "SecretString")->flags & VALUE_SECRET);
	assert_false(value_get(&heard, "Name")->flags & VALUE_SECRET);
}

static void
empty_elements_are_absent(void **state)
{
	struct err err = {0};
	struct value heard;
	struct service *service = service_of(*state, "ec2");
	struct http_answer answer = {.status = 200,
		.body = STR(
			"<R><int/><time/><text/><list/><all><bool> </bool></all></R>")};
	assert_ok(protocol_read(*state, service,
		service_operation(service, STR("Echo")), &answer, &heard, &err));
	assert_string_equal(json_text(*state, &heard, JSON_SORT),
		"{\"all\":{},\"list\":[],\"text\":\"\"}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(json_goes_round, setup, teardown),
		cmocka_unit_test_setup_teardown(rest_json_goes_round, setup, teardown),
		cmocka_unit_test_setup_teardown(rest_xml_goes_round, setup, teardown),
		cmocka_unit_test_setup_teardown(
			wrong_params_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(odd_params_do_no_harm, setup, teardown),
		cmocka_unit_test_setup_teardown(
			wrong_answers_are_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(the_path_must_be_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(
			no_value_makes_a_header_of_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(
			text_is_as_it_was_written, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_large_body_is_compressed, setup, teardown),
		cmocka_unit_test_setup_teardown(errors_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(secrets_are_marked, setup, teardown),
		cmocka_unit_test_setup_teardown(
			empty_elements_are_absent, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
