#include "host/capture.h"

#include <inttypes.h>
#include <stdlib.h>

static char *
room(size_t n)
{
	char *p = malloc(n);
	if (p == NULL)
		abort();
	return p;
}

static void
add_tail(struct capture *capture, struct str piece)
{
	if (capture->tail == NULL)
		capture->tail = room(capture->keep);
	if (piece.n > capture->keep) {
		capture->n_after += piece.n - capture->keep;
		piece = str_from(piece, piece.n - capture->keep);
	}
	size_t at = capture->n_after % capture->keep;
	size_t first = capture->keep - at < piece.n ? capture->keep - at : piece.n;
	memcpy(capture->tail + at, piece.p, first);
	memcpy(capture->tail, piece.p + first, piece.n - first);
	capture->n_after += piece.n;
}

void
capture_add(struct capture *capture, struct str piece)
{
	if (capture->keep == 0) {
		capture->n_after += piece.n;
		return;
	}
	if (capture->head == NULL)
		capture->head = room(capture->keep);
	size_t left = capture->keep - capture->n_head;
	size_t n = piece.n < left ? piece.n : left;
	memcpy(capture->head + capture->n_head, piece.p, n);
	capture->n_head += n;
	if (piece.n > n)
		add_tail(capture, str_from(piece, n));
}

bool
capture_is_cut(const struct capture *capture)
{
	return capture->n_after > capture->keep;
}

struct str
capture_text(struct arena *mem, const struct capture *capture)
{
	struct buf text = buf_in(mem);
	size_t keep = capture->keep;
	if (keep == 0)
		return STR("");
	buf_add(&text, (struct str){capture->head, capture->n_head});
	if (capture->tail == NULL)
		return buf_str(&text);
	if (!capture_is_cut(capture)) {
		buf_add(&text, (struct str){capture->tail, (size_t)capture->n_after});
		return buf_str(&text);
	}
	size_t at = capture->n_after % keep;
	buf_printf(&text, "\n[%" PRIu64 " bytes left out]\n", capture->n_after - keep);
	buf_add(&text, (struct str){capture->tail + at, keep - at});
	buf_add(&text, (struct str){capture->tail, at});
	return buf_str(&text);
}

void
capture_free(struct capture *capture)
{
	if (capture->head != NULL)
		explicit_bzero(capture->head, capture->keep);
	if (capture->tail != NULL)
		explicit_bzero(capture->tail, capture->keep);
	free(capture->head);
	free(capture->tail);
	capture->head = capture->tail = NULL;
}
