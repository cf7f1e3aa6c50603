#include "../steps/aws/pages.h"

#include "../steps/aws/result.h"

bool
pages_begin(struct service *service, const struct operation *operation, struct arena *mem,
	struct pages *pages)
{
	*pages = (struct pages){.facts = facts_find(model_facts(service->model),
					service->name, "pages", str_of(operation->name))};
	for (size_t i = 0; i < PAGES_LISTS; i++)
		pages->lists[i].mem = mem;
	return pages->facts != NULL;
}

static const struct value *
list_of(const struct value *facts, const char *name)
{
	static const struct value none = {.kind = V_LIST};
	const struct value *list = value_get(facts, name);
	return list == NULL ? &none : list;
}

/* "DistributionList.Items" in the result; NULL: not there. */
static const struct value *
at_path(const struct value *v, struct str path)
{
	while (v != NULL && path.n > 0) {
		struct str name = str_cut(path, '.', &path);
		v = v->kind == V_MAP ? map_at(v->map, name) : NULL;
	}
	return v;
}

static bool
token(struct arena *mem, struct str text, const struct value *result, struct value *out)
{
	if (!result_says(mem, text, result, out))
		return false;
	if (out->kind == V_OPTIONAL && out->opt == NULL)
		return false;
	if (out->kind == V_OPTIONAL)
		*out = *out->opt;
	return out->kind != V_NULL && !(out->kind == V_STRING && out->str.n == 0)
		&& !(out->kind == V_LIST && out->list.n == 0)
		&& !(out->kind == V_MAP && out->map->n == 0);
}

/* Whether the service itself says that there is more; true where it has no word for it. */
static bool
says_more(const struct value *facts, const struct value *result)
{
	struct str name = value_get_str(facts, "more");
	const struct value *said = name.n == 0 ? NULL : at_path(result, name);
	return name.n == 0 || (said != NULL && said->kind == V_BOOL && said->b);
}

static bool
next_params(struct arena *mem, struct pages *pages, const struct value *params,
	const struct value *result, struct value *next, uint64_t *hash)
{
	const struct value *inputs = list_of(pages->facts, "input"),
			   *outputs = list_of(pages->facts, "output");
	struct map_builder map = {.mem = mem};
	bool found = false;
	*hash = 0;
	for (size_t i = 0; params != NULL && i < params->map->n; i++)
		map_put_str(&map, params->map->members[i].key.str,
			params->map->members[i].value);
	for (size_t i = 0; i < inputs->list.n && i < outputs->list.n; i++) {
		struct value v;
		if (!token(mem, outputs->list.items[i].str, result, &v))
			continue;
		map_put_str(&map, inputs->list.items[i].str, v);
		*hash = *hash * 31
			+ str_hash(str_of(json_text(mem, &v, JSON_COMPACT)));
		found = true;
	}
	*next = map_done(&map);
	return found;
}

static void
collect(struct pages *pages, const struct value *result)
{
	const struct value *paths = list_of(pages->facts, "lists");
	for (size_t i = 0; i < paths->list.n && i < PAGES_LISTS; i++) {
		const struct value *list = at_path(result, paths->list.items[i].str);
		for (size_t j = 0; list != NULL && list->kind == V_LIST && j < list->list.n;
			j++)
			list_push(&pages->lists[i], list->list.items[j]);
	}
}

bool
pages_add(struct arena *mem, struct pages *pages, const struct value *params,
	const struct value *result, bool *more, struct value *next, struct err *err)
{
	uint64_t hash;
	if (pages->n++ == 0)
		pages->first = *result;
	collect(pages, result);
	*more = says_more(pages->facts, result)
		&& next_params(mem, pages, params, result, next, &hash);
	if (!*more)
		return true;
	if (pages->n > 1 && hash == pages->last)
		return err_set(err, ERR_PROTOCOL,
			"page %zu asks for itself again: the list would never end",
			pages->n);
	if (pages->n >= PAGES_MOST)
		return err_set(err, ERR_LIMIT, "more than %d pages", PAGES_MOST);
	pages->last = hash;
	return true;
}

/* `v` with what stands at the path replaced; without it where `with` is NULL. */
static struct value
replaced(struct arena *mem, const struct value *v, struct str path,
	const struct value *with)
{
	struct map_builder map = {.mem = mem};
	struct str rest, name = str_cut(path, '.', &rest);
	if (v->kind != V_MAP)
		return *v;
	for (size_t i = 0; i < v->map->n; i++) {
		const struct member *m = &v->map->members[i];
		if (!str_eq(m->key.str, name))
			map_put_str(&map, m->key.str, m->value);
		else if (rest.p != NULL)
			map_put_str(&map, name, replaced(mem, &m->value, rest, with));
	}
	if (rest.p == NULL && with != NULL)
		map_put_str(&map, name, *with);
	return map_done(&map);
}

/* The path that an expression "result.?A.?B" names; empty: it is another one. */
static struct str
plain_path(struct arena *mem, struct str text)
{
	struct buf path = buf_in(mem);
	text = str_from(text, strlen("result.?"));
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '(')
			return (struct str){NULL, 0};
		if (text.p[i] != '?')
			buf_putc(&path, text.p[i]);
	}
	return buf_str(&path);
}

struct value
pages_result(struct arena *mem, const struct pages *pages)
{
	const struct value *paths = list_of(pages->facts, "lists"),
			   *tokens = list_of(pages->facts, "output");
	struct value out = pages->first;
	for (size_t i = 0; i < paths->list.n && i < PAGES_LISTS; i++) {
		struct list_builder list = pages->lists[i];
		struct value joined = list_done(&list);
		if (list.n > 0)
			out = replaced(mem, &out, paths->list.items[i].str, &joined);
	}
	for (size_t i = 0; i < tokens->list.n; i++) {
		struct str path = plain_path(mem, tokens->list.items[i].str);
		if (path.n > 0)
			out = replaced(mem, &out, path, NULL);
	}
	return out;
}

bool
pages_is_cut(struct arena *mem, struct service *service, const struct operation *operation,
	const struct value *result)
{
	struct pages pages;
	struct value next;
	uint64_t hash;
	return pages_begin(service, operation, mem, &pages)
		&& says_more(pages.facts, result)
		&& next_params(mem, &pages, NULL, result, &next, &hash);
}
