#include "run/bundle.h"

#include "data/json.h"

static void
add_file(struct list_builder *files, const struct playbook *book)
{
	struct map_builder file = {.mem = files->mem};
	const char *slash = strrchr(book->file, '/');
	map_put(&file, "path", value_text(files->mem, "%s", book->file));
	map_put(&file, "full", value_text(files->mem, "%s/%s", book->folder,
		slash == NULL ? book->file : slash + 1));
	map_put(&file, "text", value_str(book->source->text));
	list_push(files, map_done(&file));
}

struct str
bundle_make(const struct playbook *book, struct arena *mem)
{
	struct map_builder map = {.mem = mem};
	struct list_builder files = {.mem = mem};
	add_file(&files, book);
	for (size_t i = 0; i < book->n_called; i++)
		if (book->called[i] != book)
			add_file(&files, book->called[i]);
	map_put(&map, "v", value_int(1));
	map_put(&map, "file", value_text(mem, "%s", book->file));
	map_put(&map, "files", list_done(&files));
	struct value v = map_done(&map);
	return str_of(json_text(mem, &v, JSON_COMPACT));
}

struct bundle {
	struct loader loader;                         /* first */
	struct value files;
	struct arena *mem;
};

/* Paths are looked up as they were named or where they were found; the folder may have
 * gone since. */
static bool
read_file(const struct loader *loader, const char *path, struct str *bytes,
	char **full_path, struct err *err)
{
	const struct bundle *bundle = (const struct bundle *)loader;
	for (size_t i = 0; i < bundle->files.list.n; i++) {
		const struct value *file = &bundle->files.list.items[i];
		struct str full = value_get_str(file, "full");
		if (!str_is(value_get_str(file, "path"), path) && !str_is(full, path))
			continue;
		*bytes = value_get_str(file, "text");
		*full_path = str_cstr(bundle->mem, full);
		return true;
	}
	return err_set(err, ERR_NOT_FOUND,
		"%s is not among the files that were stored with the run", path);
}

const struct playbook *
bundle_load(struct str text, const struct step_type *const *types, struct arena *mem,
	struct diags *diags, struct err *err)
{
	struct value v;
	if (!json_parse(mem, text, NULL, &v, err)) {
		err_wrap(err, "the stored playbook is damaged");
		return NULL;
	}
	const struct value *files = value_get(&v, "files");
	if (value_get_int(&v, "v", 0) != 1 || files == NULL || files->kind != V_LIST) {
		err_set(err, ERR_VERSION, "the stored playbook is of a newer rbx");
		return NULL;
	}
	struct bundle bundle = {.loader = {.read = read_file, .types = types},
		.files = *files,
		.mem = mem};
	return playbook_load(
		mem, str_cstr(mem, value_get_str(&v, "file")), &bundle.loader, diags);
}
