#include "model/load.h"

#include "data/yaml.h"

/* ---- files */

static const char *
folder_of(struct arena *mem, const char *full_path)
{
	const char *slash = strrchr(full_path, '/');
	if (slash == NULL)
		return ".";
	return slash == full_path
		? "/"
		: arena_strndup(mem, full_path, (size_t)(slash - full_path));
}

static struct file *
file_at(const struct loading *all, const char *full_path)
{
	for (struct file *file = all->files; file != NULL; file = file->next)
		if (strcmp(file->full_path, full_path) == 0)
			return file;
	return NULL;
}

/* NULL: it cannot be read. One that is no YAML is told once, and is not good. */
static struct file *
file_open(struct loading *all, const char *path, struct mark at)
{
	struct err err = {0};
	struct str bytes;
	char *full_path;
	if (!all->loader->read(all->loader, path, &bytes, &full_path, &err)) {
		err_at(&err, at);
		diag_add(all->diags, DIAG_ERROR, &err);
		return NULL;
	}
	struct file *file = file_at(all, full_path);
	if (file != NULL)
		return file;
	file = arena_new_of(all->mem, struct file);
	*file = (struct file){.next = all->files,
		.path = arena_strdup(all->mem, path),
		.full_path = full_path,
		.folder = folder_of(all->mem, full_path),
		.source = source_new(all->mem, path, bytes)};
	all->files = file;
	file->is_good = yaml_parse(all->mem, file->source, &file->top, all->diags);
	return file;
}

/* ---- the playbook as a whole */

static struct mark
top_mark(const struct file *file)
{
	return (struct mark){file->source, file->top.from, file->top.from};
}

static bool
top_judge(struct book_load *b)
{
	const struct file *file = b->file;
	if (file->top.kind != V_MAP) {
		struct err *err = file->top.kind == V_NULL
			? diag_error(b->diags, top_mark(file), "the file says nothing")
			: diag_error(b->diags, top_mark(file),
				  "a playbook is a map of keys, not %s",
				  kind_name(file->top.kind));
		err_hint(err, "a playbook has at least: rbx: 1, name: NAME, steps: [...]");
		return false;
	}
	struct field_use use = {.of = "a playbook",
		.folder = file->folder,
		.at = top_mark(file),
		.mem = b->all->mem,
		.diags = b->diags};
	fields_judge(&use, playbook_keys, &file->top, &b->top);
	return true;
}

static void
parts_read(struct book_load *b)
{
	static const char *const names[PARTS] = {
		"trigger",
		"preconditions",
		"steps",
		"on_waiting",
		"on_success",
		"on_failure",
		"finally",
	};
	for (enum part part = 0; part < PARTS; part++) {
		const struct value *list = value_get(&b->top, names[part]);
		if (list == NULL || list->kind != V_LIST)
			continue;
		b->book->parts[part] =
			list_read(b, list, (struct seat){NULL, IN_PART, 0, part});
		if (part == PART_STEPS && list->list.n == 0)
			diag_error(b->diags, value_mark(list), "'steps' is empty");
	}
}

static void
parts_understand(struct book_load *b)
{
	static const enum part order[PARTS] = {
		PART_TRIGGER,
		PART_PRECONDITIONS,
		PART_STEPS,
		PART_ON_WAITING,
		PART_ON_SUCCESS,
		PART_ON_FAILURE,
		PART_FINALLY,
	};
	for (size_t i = 0; i < PARTS; i++)
		list_understand(
			b, b->book->parts[order[i]].nodes, b->book->parts[order[i]].n);
}

static void
add_called(struct book_load *b, const struct playbook *called)
{
	struct playbook *book = b->book;
	for (size_t i = 0; i < book->n_called; i++)
		if (strcmp(book->called[i]->file, called->file) == 0)
			return;
	const struct playbook **more =
		arena_array(b->all->mem, const struct playbook *, book->n_called + 1);
	if (book->n_called > 0)
		memcpy(more, book->called, book->n_called * sizeof *more);
	more[book->n_called++] = called;
	book->called = more;
}

static struct playbook *
book_build(struct book_load *b, struct file *file)
{
	size_t errors = b->diags->errors;
	file->is_open = true;
	b->book->file = file->path;
	b->book->folder = file->folder;
	b->book->source = file->source;
	if (top_judge(b)) {
		parts_read(b);
		scope_types(b);
		top_read(b);
		parts_understand(b);
		top_finish(b);
	}
	file->is_open = false;
	for (struct book_load *up = b->up; up != NULL; up = up->up)
		add_called(up, b->book);
	if (b->diags->errors != errors)
		file->is_good = false;
	if (file->book == NULL)
		file->book = b->book;
	return file->is_good ? b->book : NULL;
}

static const char *
path_from(struct book_load *up, const char *path)
{
	if (up == NULL || path[0] == '/')
		return path;
	const char *slash = strrchr(up->file->path, '/');
	return slash == NULL
		? path
		: arena_printf(up->all->mem, "%.*s%s", (int)(slash - up->file->path + 1),
			  up->file->path, path);
}

struct playbook *
book_load(struct loading *all, const char *path, struct mark at, struct info *caller,
	struct book_load *up)
{
	struct file *file = file_open(all, path_from(up, path), at);
	if (file == NULL)
		return NULL;
	if (file->is_open) {
		diag_error(all->diags, at,
			"'%s' calls itself, directly or through others", path);
		return NULL;
	}
	if (up != NULL && up->depth == CALL_DEPTH) {
		diag_error(all->diags, at, "playbooks are called more than %d deep",
			CALL_DEPTH)
			->code = ERR_LIMIT;
		return NULL;
	}
	if (!file->is_good)                           /* told already */
		return NULL;
	struct book_load *b = arena_new_of(all->mem, struct book_load);
	*b = (struct book_load){.all = all,
		.diags = all->diags,
		.file = file,
		.up = up,
		.caller = caller,
		.depth = up == NULL ? 0 : up->depth + 1,
		.book = arena_new_of(all->mem, struct playbook)};
	if (file->book != NULL) { /* its errors and warnings stand there already */
		b->diags = arena_new_of(all->scratch, struct diags);
		b->diags->mem = all->scratch;
	}
	return book_build(b, file);
}

/* What `defaults` says is compiled for each step that takes it; what is wrong with it is
 * told once. */
static void
drop_repeated(struct diags *diags)
{
	for (struct diag *d = diags->first; d != NULL; ) {
		struct diag *next = d->next;
		if (next == NULL || next->level != d->level || next->err.at.source == NULL
			|| next->err.at.source != d->err.at.source
			|| next->err.at.from != d->err.at.from
			|| strcmp(next->err.msg, d->err.msg) != 0) {
			d = next;
			continue;
		}
		d->next = next->next;
		diags->errors -= next->level == DIAG_ERROR;
		diags->warnings -= next->level == DIAG_WARNING;
		if (diags->last == next)
			diags->last = d;
	}
}

const struct playbook *
playbook_load(struct arena *mem, const char *path, const struct loader *loader,
	struct diags *diags)
{
	size_t n_types = 0, errors = diags->errors;
	while (loader->types[n_types] != NULL)
		n_types++;
	struct loading all = {
		.mem = mem, .scratch = arena_new(), .loader = loader, .diags = diags};
	all.self_types = arena_array(mem, const struct expr_type *, n_types + 1);
	struct playbook *book = book_load(&all, path, (struct mark){0}, NULL, NULL);
	if (book != NULL) {
		struct node **nodes = arena_array(mem, struct node *, all.n_nodes + 1);
		if (all.n_nodes > 0)
			memcpy(nodes, all.nodes, all.n_nodes * sizeof *nodes);
		book->nodes = nodes;
		book->n_nodes = all.n_nodes;
		playbook_index(book, mem);
	}
	arena_free(all.scratch);
	diags_sort(diags);
	drop_repeated(diags);
	return diags->errors == errors ? book : NULL;
}
