#include "run/blobs.h"

#include "base/digest.h"
#include "data/json.h"

static struct str
text_of(struct arena *mem, const struct value *v)
{
	struct buf text = buf_in(mem);

	json_write(&text, v, JSON_COMPACT);
	return buf_str(&text);
}

/* {digest, bytes} */
static struct value
name_blob(struct arena *mem, struct blob *blob, struct str bytes)
{
	struct map_builder name = {.mem = mem};

	blob->bytes = bytes;
	sha256(bytes, blob->digest);
	map_put(&name, "digest",
		value_str(str_of(hex_text(mem, blob->digest, SHA256_SIZE))));
	map_put(&name, "bytes", value_int((int64_t)bytes.n));
	return map_done(&name);
}

size_t
blobs_split(struct arena *mem, struct value *body, struct str *text, struct blob **blobs)
{
	struct map_builder kept = {.mem = mem}, names = {.mem = mem};
	struct blob *list;
	size_t n = 0;

	if (text->n <= BODY_INLINE)
		return 0;
	list = arena_array(mem, struct blob, body->map->n);
	map_put(&kept, "v", value_int(2));
	for (size_t i = 0; i < body->map->n; i++) {
		const struct member *member = &body->map->members[i];
		struct str bytes = text_of(mem, &member->value);
		if (str_is(member->key.str, "v"))
			continue;
		if (bytes.n <= MEMBER_INLINE)
			map_put_str(&kept, member->key.str, member->value);
		else
			map_put_str(&names, member->key.str,
				name_blob(mem, &list[n++], bytes));
	}
	map_put(&kept, "blobs", map_done(&names));
	*body = map_done(&kept);
	*text = text_of(mem, body);
	*blobs = list;
	return n;
}

static bool
join_member(struct arena *mem, struct map_builder *whole, const struct member *name,
	const struct blob_source *source, struct err *err)
{
	uint8_t digest[SHA256_SIZE];
	struct str bytes;
	struct value v;

	if (!hex_parse(value_get_str(&name->value, "digest"), digest, sizeof digest))
		return err_set(err, ERR_VALUE, "'%.*s' names no blob",
			STR_FMT(name->key.str));
	if (source == NULL)
		return err_set(err, ERR_NOT_FOUND, "there are no blobs here");
	if (!source->find(source, digest, mem, &bytes, err)
		|| !json_parse(mem, bytes, NULL, &v, err))
		return false;
	map_put_str(whole, name->key.str, v);
	return true;
}

bool
blobs_join(struct arena *mem, struct value *body, const struct blob_source *source,
	struct err *err)
{
	const struct value *names = value_get(body, "blobs");
	struct map_builder whole = {.mem = mem};

	if (names == NULL || names->kind != V_MAP)
		return err_set(err, ERR_VALUE, "it names no blobs");
	for (size_t i = 0; i < body->map->n; i++) {
		const struct member *member = &body->map->members[i];
		if (!str_is(member->key.str, "blobs"))
			map_put_str(&whole, member->key.str, member->value);
	}
	for (size_t i = 0; i < names->map->n; i++) {
		const struct member *name = &names->map->members[i];
		if (!join_member(mem, &whole, name, source, err))
			return err_wrap(err, "%.*s", STR_FMT(name->key.str));
	}
	*body = map_done(&whole);
	return true;
}

static bool
find_stored(const struct blob_source *source, const uint8_t digest[32], struct arena *mem,
	struct str *out, struct err *err)
{
	return store_blob((struct store *)source->with, digest, mem, out, err);
}

struct blob_source
blobs_stored(struct store *store)
{
	return (struct blob_source){.find = find_stored, .with = store};
}
