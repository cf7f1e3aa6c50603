#include "../steps/aws/endpoint.h"

#include <ctype.h>

const struct aws_service aws_s3 = {"s3", "S3", "s3"};
const struct aws_service aws_route53 = {"route53", "ROUTE_53", "route53"};
const struct aws_service aws_sts = {"sts", "STS", "sts"};

const char *
aws_region(struct step *step)
{
	struct str region = value_get_str(step->in, "region");
	if (region.n == 0 && step->got != NULL)
		region = value_get_str(step->got, "region");
	const char *const names[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
	for (size_t i = 0; i < 2 && region.n == 0; i++)
		region = str_of(step_env(step, names[i]));
	return region.n == 0 ? "us-east-1" : str_cstr(step->mem, region);
}

const char *
endpoint_variable(struct arena *mem, const char *id)
{
	char *name = arena_strdup(mem, id);
	for (char *p = name; *p != '\0'; p++)
		*p = isalnum((unsigned char)*p) ? (char)toupper((unsigned char)*p) : '_';
	return name;
}

/* ---- what somebody set */

static bool
is_on(struct step *step, const char *variable)
{
	return str_is(str_of(step_env(step, variable)), "true");
}

/* The nearest first: the step's, the service's variable, the variable of all. */
static struct str
own_url(struct step *step, const struct aws_service *service)
{
	struct str url = value_get_str(step->in, "endpoint");
	bool ignored = is_on(step, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
	if (url.n == 0 && !ignored)
		url = str_of(step_env(step,
			arena_printf(step->mem, "AWS_ENDPOINT_URL_%s", service->id)));
	if (url.n == 0 && !ignored)
		url = str_of(step_env(step, "AWS_ENDPOINT_URL"));
	while (url.n > 0 && url.p[url.n - 1] == '/')
		url.n--;
	return url;
}

static void
take_url(struct arena *mem, struct str url, struct endpoint *out)
{
	size_t scheme = str_find(url, STR("://"));
	size_t start = scheme == url.n ? 0 : scheme + 3;
	struct str rest, host = str_cut(str_from(url, start), '/', &rest);
	out->scheme = start == 0 ? "https://" : arena_strndup(mem, url.p, start);
	out->host = str_cstr(mem, host);
	out->path = rest.n == 0 ? rest : str_of(arena_printf(mem, "/%.*s", STR_FMT(rest)));
	out->is_own = true;
}

/* ---- what the models say */

struct partition { const char *name; const struct value *facts; };

static bool
matches(struct arena *mem, const struct value *facts, const char *region)
{
	struct err ignored;
	const struct regex *regex;
	return regex_compile(mem, value_get_str(facts, "regions"), &regex, &ignored)
		&& regex_find(regex, str_of(region), 0, NULL, 0, &ignored);
}

/* A region that no partition knows is one of the first: regions come faster than models. */
static struct partition
partition_of(struct arena *mem, struct facts *facts, const char *region)
{
	const char *const *names = facts_names(facts, "-", "partition");
	for (size_t i = 0; names[i] != NULL; i++) {
		const struct value *it =
			facts_find(facts, "-", "partition", str_of(names[i]));
		if (matches(mem, it, region))
			return (struct partition){names[i], it};
	}
	return (struct partition){
		"aws", facts_find(facts, "-", "partition", STR("aws"))};
}

static const struct value *
nested(const struct value *facts, const char *first, const char *second)
{
	return value_get(value_get(facts, first), second);
}

static struct str
template_of(const struct value *facts, const char *region, const char *partition,
	const char *variant)
{
	const struct value *here[] = {nested(facts, "regions", region),
		nested(facts, "partitions", partition), value_get(facts, "hosts")};
	for (size_t i = 0; i < 3; i++) {
		struct str text = value_get_str(here[i], variant);
		if (text.n > 0)
			return text;
	}
	return (struct str){NULL, 0};
}

static const char *
filled(struct arena *mem, struct str template, const char *region,
	const struct value *partition)
{
	struct buf out = buf_in(mem);
	while (template.n > 0) {
		struct str word, rest, text = str_cut(template, '{', &rest);
		buf_add(&out, text);
		if (rest.p == NULL)
			break;
		word = str_cut(rest, '}', &template);
		if (str_is(word, "region"))
			buf_puts(&out, region);
		else
			buf_add(&out, value_get_str(partition, str_cstr(mem, word)));
	}
	return buf_cstr(&out);
}

static const char *
signing_region(struct arena *mem, const struct value *facts, const char *region,
	const char *partition)
{
	struct str said = value_get_str(value_get(facts, "signs"), partition);
	return said.n > 0 ? str_cstr(mem, said) : region;
}

const char *
endpoint_control(struct arena *mem, const char *service, const char *region)
{
	struct facts *facts = model_facts(model_open(mem));
	const struct value *head = facts_find(facts, "-", "service", str_of(service));
	return head == NULL ? NULL
			    : signing_region(mem, head, region,
				      partition_of(mem, facts, region).name);
}

static const char *
variant_of(struct step *step)
{
	bool fips = is_on(step, "AWS_USE_FIPS_ENDPOINT"),
	     dual = is_on(step, "AWS_USE_DUALSTACK_ENDPOINT");
	return fips && dual ? "fips dual" : fips ? "fips" : dual ? "dual" : "";
}

bool
endpoint_find(struct step *step, const struct aws_service *service, const char *region,
	const char *template, struct endpoint *out, struct err *err)
{
	struct arena *mem = step->mem;
	struct facts *facts = model_facts(model_open(mem));
	struct partition partition = partition_of(mem, facts, region);
	const struct value *head =
		facts_find(facts, "-", "service", str_of(service->name));
	struct str own = own_url(step, service);
	*out = (struct endpoint){.scheme = "https://",
		.signing_region = signing_region(mem, head, region, partition.name)};
	if (own.n > 0) {
		take_url(mem, own, out);
		return true;
	}
	struct str text = template != NULL ? str_of(template)
					   : template_of(head, region, partition.name,
						     variant_of(step));
	if (text.n == 0)
		return err_set(err, ERR_UNKNOWN_NAME, "%s has no%s%s endpoint in %s",
			service->name, variant_of(step)[0] == '\0' ? "" : " ",
			variant_of(step), region);
	out->host = filled(mem, text, region, partition.facts);
	return true;
}
