#include "store/chain.h"

static const char *const words[REC_KINDS] = {
	[REC_RUN] = "run",
	[REC_OWN] = "own",
	[REC_BEGIN] = "begin",
	[REC_ASK] = "ask",
	[REC_ANSWER] = "answer",
	[REC_INTENT] = "intent",
	[REC_SAVE] = "save",
	[REC_EFFECT] = "effect",
	[REC_RETRY] = "retry",
	[REC_OUTCOME] = "outcome",
	[REC_RESOLVE] = "resolve",
	[REC_SIGNAL] = "signal",
	[REC_REBASE] = "rebase",
	[REC_TICK] = "tick",
	[REC_END] = "end",
	[REC_NOTE] = "note",
};

const char *
kind_word(enum kind kind)
{
	return kind < REC_KINDS ? words[kind] : "?";
}

bool
kind_parse(struct str word, enum kind *out)
{
	for (int i = 0; i < REC_KINDS; i++)
		if (str_is(word, words[i])) {
			*out = (enum kind)i;
			return true;
		}
	return false;
}

static void
add_number(struct digest *digest, uint64_t number)
{
	char bytes[8];
	for (int i = 0; i < 8; i++)
		bytes[i] = (char)(number >> (56 - 8 * i));
	digest_add(digest, (struct str){bytes, sizeof bytes});
}

static void
add_field(struct digest *digest, struct str field)
{
	add_number(digest, field.n);
	digest_add(digest, field);
}

static void
add_counted(struct digest *digest, uint64_t number)
{
	add_number(digest, 8);
	add_number(digest, number);
}

void
chain_hash(struct digest *digest, const char *run, const uint8_t before[SHA256_SIZE],
	const struct record *record, struct str word, uint8_t out[SHA256_SIZE])
{
	add_field(digest, (struct str){(const char *)before, SHA256_SIZE});
	add_field(digest, str_of(run));
	add_counted(digest, record->seq);
	add_counted(digest, (uint64_t)record->at);
	add_counted(digest, (uint64_t)record->boot);
	add_field(digest, word);
	add_field(digest, str_of(record->path));
	add_counted(digest, record->attempt);
	add_field(digest, record->body);
	digest_end(digest, out);
}

void
record_chain(const char *run, const uint8_t before[32], struct record *records, size_t n)
{
	struct arena *scratch = arena_new();
	struct digest *digest = digest_new(scratch);
	for (size_t i = 0; i < n; i++) {
		struct str word = str_of(kind_word(records[i].kind));
		chain_hash(digest, run, before, &records[i], word, records[i].hash);
		before = records[i].hash;
	}
	arena_free(scratch);
}
