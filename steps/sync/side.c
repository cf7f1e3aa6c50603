#include "../steps/sync/side.h"

bool
side_open(struct step *step, struct side *side, struct str text, struct str region)
{
	side->items.mem = step->mem;
	side->is_folder = !s3_is_place(text);
	if (side->is_folder) {
		while (text.n > 1 && text.p[text.n - 1] == '/')
			text.n--;
		side->folder = str_cstr(step->mem, text);
		return true;
	}
	if (!s3_place_parse(step->mem, text, &side->place, step->err))
		return false;
	if (!side->place.is_prefix)
		return err_set(step->err, ERR_VALUE, "'%s' names one object: '%.*s'",
			       side->word, STR_FMT(text)),
		       err_hint(step->err, "all below a prefix is written with a slash "
					   "at its end");
	if (region.n > 0)
		side->place.region = str_cstr(step->mem, region);
	return s3_find(step, &side->place);
}

enum verdict
side_load(struct step *step, struct side *side, struct now now)
{
	if (!side->is_folder) {
		s3_list_begin(&side->list, step->mem, side->place, false, side->slot);
		return s3_list_next(step, &side->list, now);
	}
	struct file_ask ask = {
		.what = FILE_WALK, .path = side->folder, .most = S3_MOST_OBJECTS};
	return step_file(step,
		(struct how){.slot = side->slot, .reads = true, .title = side->folder},
		&ask);
}

static enum verdict
refuse(struct step *step, const struct side *side, struct str path, const char *why)
{
	step_fail(step, ERR_DENIED, false, "%s: '%.*s' %s", side->word,
		path.n > 200 ? 200 : STR_FMT(path), why);
	err_hint(step->err, "`exclude` leaves it out");
	return STEP_FAIL;
}

static enum verdict
walked(struct step *step, struct side *side, const struct event *event)
{
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	const struct file_answer *answer = event->op->answer;
	side->loaded = true;
	side->is_there = answer->exists;
	for (size_t i = 0; i < answer->n_entries; i++) {
		const struct file_entry *entry = &answer->entries[i];
		struct str path = str_of(entry->path);
		if (!sync_selects(&side->filter, path))
			continue;
		if (entry->sort != ENTRY_FILE)
			return refuse(step, side, path,
				entry->sort == ENTRY_LINK ? "is a symbolic link"
							  : "is not a plain file");
		if (!str_is_utf8(path))
			return refuse(step, side, path,
				"is no UTF-8, and no name of an object");
		sync_add(&side->items,
			(struct sync_item){.path = path,
				.size = entry->size,
				.modified = entry->modified});
	}
	return STEP_DONE;
}

/* Consoles make an empty object to show a folder: no file can be that. */
static bool
is_folder_mark(const struct s3_item *item)
{
	return item->size == 0 && str_ends(item->key, STR("/"));
}

static enum verdict
take_page(struct step *step, struct side *side)
{
	for (size_t i = 0; i < side->list.n; i++) {
		const struct s3_item *item = &side->list.items[i];
		struct str path = str_from(item->key, side->place.key.n);
		if (path.n == 0 || !sync_selects(&side->filter, path)
			|| (side->feeds_folder && is_folder_mark(item)))
			continue;
		if (side->feeds_folder && !sync_path_is_safe(path))
			return refuse(step, side, path,
				"would be no file below the folder");
		struct s3_item copy = s3_item_copy(step->mem, item);
		sync_add(&side->items,
			(struct sync_item){
				.path = str_from(copy.key, side->place.key.n),
				.etag = copy.etag,
				.size = copy.size,
				.modified = copy.modified});
	}
	return STEP_DONE;
}

enum verdict
side_event(struct step *step, struct side *side, const struct event *event)
{
	enum verdict verdict;
	if (side->is_folder)
		return walked(step, side, event);
	if (!s3_list_read(step, &side->list, event, &verdict))
		return verdict;
	side->place = side->list.place;
	side->is_there = true;
	verdict = take_page(step, side);
	if (verdict != STEP_DONE)
		return verdict;
	if (side->list.more)
		return s3_list_next(step, &side->list, event->now);
	side->loaded = true;
	return STEP_DONE;
}

struct s3_place
side_object(struct arena *mem, const struct side *side, struct str path)
{
	struct s3_place place = side->place;
	struct buf key = buf_in(mem);
	buf_add(&key, side->place.key);
	buf_add(&key, path);
	place.key = buf_str(&key);
	place.is_prefix = false;
	return place;
}

struct side_file
side_file(struct arena *mem, const struct side *side, struct str path)
{
	if (side->is_there)
		return (struct side_file){side->folder, str_cstr(mem, path)};
	const char *slash = strrchr(side->folder, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - side->folder);
	return (struct side_file){
		n == 0 ? slash == NULL ? "." : "/" : arena_strndup(mem, side->folder, n),
		arena_printf(mem, "%s/%.*s", slash == NULL ? side->folder : slash + 1,
			STR_FMT(path))};
}
