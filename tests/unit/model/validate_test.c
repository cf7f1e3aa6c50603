/* The rules of the language, a case each: tests/golden/validate/NAME.test.
 *
 *   ## what the case shows
 *   steps:                     the playbook; "rbx: 1" and "name: t" are put in front
 * unless it begins with "rbx:"
 *   @ other.yaml               another file that it calls, to the next @ or =>
 *   => 2:5 error: message      each thing that is told, in order: all of the message; "=>
 * ok": nothing
 *   =>   hint: words           its hint
 *
 * With RBX_GOLDEN_WRITE set the expected lines are written anew, to be read by a person
 * before they are kept. */
#include "../unit.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>

#include "model/playbook.h"
#include "steps/steps.h"

enum { MOST_FILES = 8 };

struct text_file { const char *name; struct buf text; };

struct golden {
	struct arena *mem;
	char title[200];
	struct text_file files[MOST_FILES];
	size_t n_files;
	struct buf expected;
};

static bool
read_text(const struct loader *loader, const char *path, struct str *bytes,
	char **full_path, struct err *err)
{
	const struct golden *c = loader->with;
	for (size_t i = 0; i < c->n_files; i++)
		if (strcmp(c->files[i].name, path) == 0) {
			*bytes = (struct str){buf_cstr((struct buf *)&c->files[i].text),
				c->files[i].text.n};
			*full_path = arena_printf(c->mem, "/books/%s", path);
			return true;
		}
	return err_set(err, ERR_NOT_FOUND, "%s: no such file", path);
}

static bool
is_there(const struct loader *loader, const char *path)
{
	(void)loader;
	return strstr(path, "missing") == NULL;
}

static struct buf
tell(const struct golden *c)
{
	static const char *const levels[] = {"error", "warning", "note"};
	struct loader loader = {
		.read = read_text, .exists = is_there, .types = step_types, .with = (void *)c};
	struct diags diags = {.mem = c->mem};
	const struct playbook *book = playbook_load(c->mem, "t.yaml", &loader, &diags);
	struct buf out = buf_in(c->mem);
	assert_true((book == NULL) == (diags.errors > 0));
	bool prefixed = strncmp(buf_cstr((struct buf *)&c->files[0].text),
				"rbx: 1\nname: t\n", 15)
		== 0;
	for (const struct diag *d = diags.first; d != NULL; d = d->next) {
		uint32_t line, column;
		mark_place(d->err.at, &line, &column);
		bool main_file = d->err.at.source == NULL
			|| strcmp(d->err.at.source->name, "t.yaml") == 0;
		line -= prefixed && main_file && line > 2 ? 2 : 0;
		buf_puts(&out, "=> ");
		if (!main_file)
			buf_printf(&out, "%s:", d->err.at.source->name);
		buf_printf(&out, "%u:%u %s: %s\n", line, column, levels[d->level],
			d->err.msg);
		if (d->err.hint[0] != '\0')
			buf_printf(&out, "=>   hint: %s\n", d->err.hint);
	}
	if (out.n == 0)
		buf_puts(&out, "=> ok\n");
	return out;
}

static void
judge(struct golden *c, struct buf *rewritten, const char *raw, size_t n_raw)
{
	struct buf told = tell(c);
	if (getenv("RBX_GOLDEN_WRITE") == NULL
		&& strcmp(buf_cstr(&told), buf_cstr(&c->expected)) != 0)
		fail_msg("%s\n%.*s--- told:\n%s--- expected:\n%s", c->title, (int)n_raw,
			raw, buf_cstr(&told), buf_cstr(&c->expected));
	buf_add(rewritten, (struct str){raw, n_raw});
	buf_add(rewritten, buf_str(&told));
}

static void
begin(struct golden *c, struct arena *mem, struct str title)
{
	*c = (struct golden){.mem = mem, .n_files = 1, .expected = buf_in(mem)};
	snprintf(c->title, sizeof c->title, "%.*s", STR_FMT(title));
	c->files[0] = (struct text_file){"t.yaml", buf_in(mem)};
}

static void
add_line(struct golden *c, struct str line)
{
	struct text_file *file = &c->files[c->n_files - 1];
	if (str_starts(line, STR("@ ")) && c->n_files < MOST_FILES) {
		c->files[c->n_files++] = (struct text_file){
			str_cstr(c->mem, str_trim(str_from(line, 2))), buf_in(c->mem)};
		return;
	}
	if (file->text.n == 0 && c->n_files == 1 && !str_starts(line, STR("rbx:")))
		buf_puts(&file->text, "rbx: 1\nname: t\n");
	buf_add(&file->text, line);
	buf_putc(&file->text, '\n');
}

/* A case ends where its expected lines end. */
static size_t
run_file(const char *path)
{
	struct arena *mem = arena_new();
	struct buf text = buf_in(mem), rewritten = buf_in(mem);
	FILE *file = fopen(path, "r");
	char block[4096];
	size_t cases = 0;
	assert_non_null(file);
	for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0; )
		buf_add(&text, (struct str){block, n});
	fclose(file);
	struct golden c = {0};
	const char *raw = buf_cstr(&text), *end = raw;
	struct str rest = buf_str(&text);
	bool open = false;
	while (rest.n > 0) {
		struct str line = str_cut(rest, '\n', &rest);
		if (str_starts(line, STR("## "))) {
			if (open) {
				judge(&c, &rewritten, raw, (size_t)(end - raw));
				cases++;
			}
			begin(&c, mem, str_from(line, 3));
			raw = open ? line.p : raw;
			open = true;
		} else if (open && str_starts(line, STR("=>"))) {
			buf_add(&c.expected, line);
			buf_putc(&c.expected, '\n');
			continue;
		} else if (open) {
			add_line(&c, line);
		}
		end = line.p + line.n + 1;
	}
	if (open) {
		judge(&c, &rewritten, raw, (size_t)(end - raw));
		cases++;
	}
	if (getenv("RBX_GOLDEN_WRITE") != NULL) {
		file = fopen(path, "w");
		assert_non_null(file);
		fwrite(rewritten.p, 1, rewritten.n, file);
		fclose(file);
	}
	arena_free(mem);
	return cases;
}

static void
rules_are_told(void **state)
{
	(void)state;
	char pattern[PATH_MAX];
	const char *root = getenv("RBX_SOURCE");
	glob_t found;
	size_t cases = 0;
	snprintf(pattern, sizeof pattern, "%s/tests/golden/validate/*.test",
		root == NULL ? "." : root);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		cases += run_file(found.gl_pathv[i]);
	globfree(&found);
	print_message("# %zu cases\n", cases);
	assert_true(cases >= 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(rules_are_told)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
