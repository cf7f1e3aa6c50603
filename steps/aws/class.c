#include "../steps/aws/class.h"

static const char *const reads[] = {
	"BatchGet", "Describe", "Filter", "Get", "Head", "List", "Lookup", "Query", "Scan",
	"Search", NULL,
};

/* Operations that change nothing though their names do not say so (service authorization
 * reference: access level Read or List), or that change something though they do. */
static const struct exception {
	const char *service, *operation;
	enum effect effect;
	const char *reason;
} exceptions[] = {
	{"autoscaling", "PutScalingPolicy", IDEMPOTENT, "sets the policy of that name"},
	{"cloudfront", "TestFunction", PURE, "only tries it out"},
	{"cloudwatch", "DisableAlarmActions", IDEMPOTENT, "sets a switch"},
	{"cloudwatch", "EnableAlarmActions", IDEMPOTENT, "sets a switch"},
	{"cloudwatch", "PutMetricAlarm", IDEMPOTENT, "sets the alarm of that name"},
	{"cloudformation", "EstimateTemplateCost", PURE, "only reckons"},
	{"cloudformation", "ValidateTemplate", PURE, "only looks"},
	/* Amazon DynamoDB API, ClientRequestToken: shorter than the window of the type. */
	{"dynamodb", "ExecuteTransaction", ONCE, "its token is known for 10 minutes only"},
	{"dynamodb", "TransactGetItems", PURE, "reads"},
	{"dynamodb", "TransactWriteItems", ONCE, "its token is known for 10 minutes only"},
	{"ecr", "BatchCheckLayerAvailability", PURE, "only looks"},
	{"events", "TestEventPattern", PURE, "only tries it out"},
	{"iam", "SimulateCustomPolicy", PURE, "only reckons"},
	{"iam", "SimulatePrincipalPolicy", PURE, "only reckons"},
	{"kms", "Decrypt", PURE, "only reckons"},
	{"kms", "Encrypt", PURE, "only reckons"},
	{"kms", "Verify", PURE, "only reckons"},
	{"lambda", "UpdateFunctionConfiguration", IDEMPOTENT, "sets what is given"},
	{"logs", "TestMetricFilter", PURE, "only tries it out"},
	{"rds", "DownloadDBLogFilePortion", PURE, "reads"},
	{"route53", "TestDNSAnswer", PURE, "only asks"},
	{"route53-recovery-cluster", "UpdateRoutingControlState", IDEMPOTENT, "sets a state"},
	{"route53-recovery-cluster", "UpdateRoutingControlStates", IDEMPOTENT, "sets states"},
	{"s3", "CopyObject", IDEMPOTENT, "the same object again"},
	{"s3", "PutObject", IDEMPOTENT, "the same object again"},
	{"stepfunctions", "GetActivityTask", ONCE, "takes the task"},
	/* AWS Step Functions API, clientToken. */
	{"stepfunctions", "RedriveExecution", ONCE, "its token is known for 15 minutes only"},
	{"sts", "DecodeAuthorizationMessage", PURE, "only reckons"},
};

static const struct exception *
exception_of(const struct service *service, const struct operation *operation)
{
	for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++)
		if (strcmp(exceptions[i].service, service->name) == 0
			&& strcmp(exceptions[i].operation, operation->name) == 0)
			return &exceptions[i];
	return NULL;
}

static const char *
read_prefix(const char *name)
{
	for (size_t i = 0; reads[i] != NULL; i++)
		if (str_starts(str_of(name), str_of(reads[i])))
			return reads[i];
	return NULL;
}

enum effect
class_of_operation(struct service *service, const struct operation *operation)
{
	const struct exception *exception = exception_of(service, operation);
	struct look_up ignored;
	if (exception != NULL)
		return exception->effect;
	if (read_prefix(operation->name) != NULL)
		return PURE;
	if (operation->tokens[0] != NULL)
		return KEYED;
	return class_look_up(service, operation, &ignored) ? PROBED : ONCE;
}

const char *
class_reason(struct arena *mem, struct service *service, const struct operation *operation)
{
	const struct exception *exception = exception_of(service, operation);
	const char *prefix = read_prefix(operation->name);
	struct look_up look;
	if (exception != NULL)
		return exception->reason;
	if (prefix != NULL)
		return arena_printf(mem, "its name begins with %s", prefix);
	if (operation->tokens[0] != NULL)
		return arena_printf(
			mem, "%s takes the step's key", operation->tokens[0]);
	if (class_look_up(service, operation, &look))
		return arena_printf(mem, "%s looks for %s", look.operation->name, look.asks);
	return "nothing in the model tells whether it was done";
}

/* ---- looking for what was made */

static bool
is_text_member(struct service *service, const struct shape_ref *ref)
{
	const struct shape *shape =
		ref == NULL ? NULL : service_shape(service, ref->shape);
	return shape != NULL && shape->kind == SHAPE_TEXT;
}

/* The required member that names the thing: of CreateDBSnapshot DBSnapshotIdentifier. */
static const char *
naming_member(struct arena *mem, struct service *service, const struct shape *input,
	const char *thing)
{
	const char *const names[] = {arena_printf(mem, "%sIdentifier", thing),
		arena_printf(mem, "%sName", thing), arena_printf(mem, "%sId", thing), thing,
		"Name", "name"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const struct shape_ref *ref = shape_find(input, str_of(names[i]));
		if (ref != NULL && ref->traits & TRAIT_REQUIRED
			&& is_text_member(service, ref))
			return ref->name;
	}
	return NULL;
}

/* Where in the answer a thing of that shape stands. */
static bool
stands_in(struct service *service, const struct shape *answer, const char *shape,
	struct look_up *out)
{
	for (size_t i = 0; i < answer->n_members; i++) {
		const struct shape *inner =
			service_shape(service, answer->members[i].shape);
		if (inner == NULL)
			continue;
		if (inner->kind == SHAPE_LIST && inner->item.shape != NULL
			&& strcmp(inner->item.shape, shape) == 0)
			out->list = answer->members[i].name;
		else if (strcmp(inner->name, shape) == 0)
			out->found = answer->members[i].name;
		if (out->list != NULL || out->found != NULL)
			return true;
	}
	return false;
}

/* The only structure that the creating operation gives. */
static const struct shape_ref *
made_by(struct service *service, const struct operation *operation)
{
	const struct shape *output = service_shape(service, operation->output.shape);
	const struct shape_ref *made = NULL;
	for (size_t i = 0; output != NULL && i < output->n_members; i++) {
		const struct shape *shape =
			service_shape(service, output->members[i].shape);
		if (shape == NULL || shape->kind != SHAPE_STRUCTURE)
			continue;
		if (made != NULL)
			return NULL;
		made = &output->members[i];
	}
	return made;
}

static bool
try_look_up(struct service *service, const char *name, const struct shape_ref *made,
	struct look_up *out)
{
	out->operation = service_operation(service, str_of(name));
	if (out->operation == NULL)
		return false;
	const struct shape *input =
		service_shape(service, out->operation->input.shape);
	const struct shape *answer =
		service_shape(service, out->operation->output.shape);
	if (input == NULL || answer == NULL)
		return false;
	/* TargetDBSnapshotIdentifier of a copy is DBSnapshotIdentifier to who looks. */
	struct str asked = str_of(out->name);
	if (str_starts(asked, STR("Target")))
		asked = str_from(asked, strlen("Target"));
	const struct shape_ref *ref = shape_find(input, asked);
	if (!is_text_member(service, ref))
		return false;
	out->asks = ref->name;
	out->list = out->found = NULL;
	out->made = made->name;
	return stands_in(service, answer, made->shape, out);
}

bool
class_look_up(
	struct service *service, const struct operation *operation, struct look_up *out)
{
	static const char *const verbs[] = {"Create", "Copy", "Restore", NULL};
	struct arena *mem = service_mem(service);
	const struct shape_ref *made = made_by(service, operation);
	const struct shape *input = service_shape(service, operation->input.shape);
	size_t verb = 0;
	while (verbs[verb] != NULL
		&& !str_starts(str_of(operation->name), str_of(verbs[verb])))
		verb++;
	if (verbs[verb] == NULL || made == NULL || input == NULL)
		return false;
	/* What is copied or restored is named by the thing that comes out of it. */
	const char *thing = made->shape;
	*out = (struct look_up){0};
	out->name = naming_member(mem, service, input, thing);
	if (out->name == NULL && verb > 0)
		out->name = naming_member(
			mem, service, input, arena_printf(mem, "Target%s", thing));
	if (out->name == NULL)
		return false;
	const char *const looks[] = {arena_printf(mem, "Describe%ss", thing),
		arena_printf(mem, "Describe%s", thing), arena_printf(mem, "Get%s", thing)};
	for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++)
		if (try_look_up(service, looks[i], made, out))
			return true;
	return false;
}

bool
class_is_absence(struct str code)
{
	static const char *const parts[] = {
		"NotFound", "NoSuch", "DoesNotExist", "NotExist", NULL};
	for (size_t i = 0; parts[i] != NULL; i++)
		if (str_find(code, str_of(parts[i])) < code.n)
			return true;
	return str_is(code, "404");
}

/* ---- the key as a token */

static const char *
uuid_of(struct arena *mem, const char *key)
{
	const char *hex = sha256_hex(mem, str_of(key));
	/* Version 8: made by whoever uses it (RFC 9562, 5.8). */
	return arena_printf(mem, "%.8s-%.4s-8%.3s-a%.3s-%.12s", hex, hex + 8, hex + 12,
		hex + 15, hex + 18);
}

const char *
class_token(struct arena *mem, struct service *service, const struct operation *operation,
	const char *member, const char *key)
{
	const struct shape *input = service_shape(service, operation->input.shape);
	const struct shape_ref *ref = shape_find(input, str_of(member));
	const struct shape *shape = service_shape(service, ref->shape);
	int64_t most = shape->most != NULL && shape->most->kind == V_INT ? shape->most->i
									 : 64;
	bool wants_uuid = shape->pattern != NULL
		&& str_find(str_of(shape->pattern), STR("{8}")) < strlen(shape->pattern);
	if (most == 36 || wants_uuid)
		return uuid_of(mem, key);
	return (size_t)most < strlen(key) ? arena_strndup(mem, key, (size_t)most) : key;
}
