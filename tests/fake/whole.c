#include "whole.h"

#include <stdio.h>
#include <stdlib.h>

#include "data/json.h"
#include "steps/steps.h"

static bool
read_text(const struct loader *loader, const char *path, struct str *bytes,
	char **full_path, struct err *err)
{
	const struct whole *whole = loader->with;
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	for (size_t i = 0; i < whole->n_files; i++)
		if (strcmp(whole->names[i], name) == 0) {
			*bytes = str_of(whole->texts[i]);
			*full_path = arena_printf(whole->mem, "/books/%s", name);
			return true;
		}
	return err_set(err, ERR_NOT_FOUND, "there is no file %s", path);
}

static void
told(struct observer *observer, enum diag_level level, const struct err *err)
{
	struct whole *whole = (struct whole *)observer;
	(void)level;
	buf_printf(&whole->said, "%s\n", err->msg);
}

static void
recorded(struct observer *observer, const struct record *record)
{
	struct whole *whole = (struct whole *)observer;
	if (whole->record != NULL)
		whole->record(whole, record);
}

void
whole_open(struct whole *whole, struct arena *mem)
{
	*whole = (struct whole){.mem = mem, .fake = fake_new(mem), .said = buf_in(mem)};
	whole->host = fake_host(whole->fake);
	whole->store = memory_new(mem, whole->host);
	whole->loader = (struct loader){
		.read = read_text, .types = step_types, .with = whole};
	whole->observer.told = told;
	whole->observer.record = recorded;
	whole->options = (struct run_options){
		.mode = MODE_RUN, .observer = &whole->observer};
}

void
whole_file(struct whole *whole, const char *name, const char *text)
{
	if (whole->n_files == sizeof whole->names / sizeof whole->names[0])
		abort();
	whole->names[whole->n_files] = name;
	whole->texts[whole->n_files++] = text;
}

const struct playbook *
whole_book(struct whole *whole, const char *text)
{
	struct diags diags = {.mem = whole->mem};
	whole_file(whole, "book.yaml", text);
	const struct playbook *book =
		playbook_load(whole->mem, "book.yaml", &whole->loader, &diags);
	whole->n_files--;
	for (const struct diag *it = diags.first; book == NULL && it != NULL;
		it = it->next) {
		uint32_t line, column;
		mark_place(it->err.at, &line, &column);
		fprintf(stderr, "%u:%u: %s\n", line, column, it->err.msg);
	}
	if (book == NULL)
		abort();
	return book;
}

/* With the defaults of its inputs. */
int
whole_run(struct whole *whole, const struct playbook *book)
{
	struct value *inputs = arena_new_of(whole->mem, struct value);
	struct diags diags = {.mem = whole->mem};
	struct expr_scope scope = {.root = NULL};
	if (!inputs_apply(book, NULL, 0, &scope, whole->host->type->now(whole->host).wall,
		    whole->mem, inputs, &diags))
		abort();
	whole->options.inputs = inputs;
	whole->err = (struct err){0};
	return run_start(whole->host, whole->store, book, &whole->options, whole->mem,
		&whole->run, &whole->err);
}

int
whole_resume(struct whole *whole, const struct playbook *book)
{
	whole->err = (struct err){0};
	return run_resume(whole->host, whole->store, whole->run, book, &whole->options,
		whole->mem, &whole->err);
}

const char *
whole_trace(const struct whole *whole, uint64_t from)
{
	struct buf out = buf_in(whole->mem);
	size_t n;
	const struct record *records = memory_records(whole->store, &n);
	for (size_t i = 0; i < n; i++) {
		const struct record *it = &records[i];
		struct value body;
		struct err err;
		if (it->seq < from || it->kind == REC_RUN || it->kind == REC_OWN
			|| it->kind == REC_NOTE)
			continue;
		buf_printf(&out, "%s%s%s", kind_word(it->kind), *it->path ? " " : "",
			it->path);
		if (!json_parse(whole->mem, it->body, NULL, &body, &err))
			abort();
		struct str state = value_get_str(&body, "state");
		buf_printf(&out, "%s%.*s\n", state.n > 0 ? " " : "", STR_FMT(state));
	}
	return buf_cstr(&out);
}
