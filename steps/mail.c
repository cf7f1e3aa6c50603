#include "mail.h"

enum {
	LINE = 76,       /* of a header that is folded, and of base64 */
	WORD_BYTES = 42, /* of text in an encoded word: 75 characters (RFC 2047, 2) */
	PLAIN_MOST = 200 /* of ASCII that stays on one line, well below 998 */
};

static bool
is_ascii(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] >= 0x80)
			return false;
	return true;
}

static bool
has_control(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return true;
	return false;
}

/* ---- addresses */

static bool
is_address(struct str at)
{
	size_t marks = 0;
	for (size_t i = 0; i < at.n; i++) {
		marks += at.p[i] == '@';
		if (at.p[i] != '\0' && strchr(" <>()[],;:\\\"", at.p[i]) != NULL)
			return false;
	}
	return marks == 1 && at.p[0] != '@' && at.p[at.n - 1] != '@';
}

/* A quoted name without its quotes and backslashes. */
static struct str
unquoted(struct arena *mem, struct str name)
{
	struct buf plain = buf_in(mem);
	if (name.n < 2 || name.p[0] != '"' || name.p[name.n - 1] != '"')
		return name;
	for (size_t i = 1; i + 1 < name.n; i++) {
		if (name.p[i] == '\\' && i + 2 < name.n)
			i++;
		buf_putc(&plain, name.p[i]);
	}
	return buf_str(&plain);
}

bool
mail_address_parse(
	struct arena *mem, struct str text, struct mail_address *out, struct err *err)
{
	struct str rest, name, all = str_trim(text);
	*out = (struct mail_address){.at = all};
	if (str_ends(all, STR(">"))) {
		size_t open = all.n - 1;
		while (open > 0 && all.p[open] != '<')
			open--;
		rest = str_from(all, open + 1);
		name = str_trim((struct str){all.p, open});
		out->at = (struct str){rest.p, rest.n > 0 ? rest.n - 1 : 0};
		out->name = unquoted(mem, name);
	}
	if (has_control(all))
		return err_set(
			err, ERR_VALUE, "a mail address holds a control character");
	if (!is_ascii(out->at))
		return err_set(err, ERR_VALUE,
			"'%.*s': an address beyond ASCII is not known here",
			STR_FMT(out->at));
	if (!is_address(out->at))
		return err_set(err, ERR_VALUE,
			"'%.*s' is no mail address: user@host, or Name <user@host>",
			STR_FMT(all));
	return true;
}

/* ---- headers */

/* The longest beginning of at most `most` bytes that ends between two characters. */
static size_t
whole_runes(struct str text, size_t most)
{
	size_t n = text.n < most ? text.n : most;
	while (n > 0 && n < text.n && ((unsigned char)text.p[n] & 0xc0) == 0x80)
		n--;
	return n == 0 ? text.n : n;
}

/* Encoded words, a line each (RFC 2047). */
static void
add_words(struct arena *mem, struct buf *out, struct str text)
{
	for (bool first = true; text.n > 0; first = false) {
		size_t n = whole_runes(text, WORD_BYTES);
		buf_printf(out, "%s=?UTF-8?B?%s?=", first ? "" : "\r\n ",
			base64_text(mem, text.p, n));
		text = str_from(text, n);
	}
}

/* ASCII that could be taken for an encoded word is one too. */
static void
add_text(struct arena *mem, struct buf *out, struct str text)
{
	bool plain = is_ascii(text) && text.n <= PLAIN_MOST
		&& str_find(text, STR("=?")) == text.n;
	if (plain)
		buf_add(out, text);
	else
		add_words(mem, out, text);
}

static void
add_quoted(struct buf *out, struct str text)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			buf_putc(out, '\\');
		buf_putc(out, text.p[i]);
	}
	buf_putc(out, '"');
}

static void
add_address(struct arena *mem, struct buf *out, const struct mail_address *address)
{
	struct str name = address->name;
	if (name.n == 0) {
		buf_add(out, address->at);
		return;
	}
	if (is_ascii(name) && name.n <= PLAIN_MOST)
		add_quoted(out, name);
	else
		add_words(mem, out, name);
	buf_printf(out, " <%.*s>", STR_FMT(address->at));
}

/* Base64 in lines needs no other care (RFC 2045, 6.8). */
static void
add_body(struct arena *mem, struct buf *out, struct str text)
{
	const char *coded = base64_text(mem, text.p, text.n);
	for (size_t left = strlen(coded); left > 0;) {
		size_t n = left < LINE ? left : LINE;
		buf_printf(out, "%.*s\r\n", (int)n, coded);
		coded += n;
		left -= n;
	}
}

const char *
mail_id(struct arena *mem, const struct mail *mail)
{
	struct str host = str_from(mail->from.at, str_find(mail->from.at, STR("@")));
	return arena_printf(mem, "<%s%.*s>", mail->key, STR_FMT(host));
}

/* Auto-Submitted keeps absence notes from answering (RFC 3834, 5). */
struct str
mail_message(struct arena *mem, const struct mail *mail)
{
	struct buf out = buf_in(mem);
	buf_puts(&out, "From: ");
	add_address(mem, &out, &mail->from);
	buf_puts(&out, "\r\nTo: ");
	for (size_t i = 0; i < mail->n_to; i++) {
		buf_puts(&out, i > 0 ? ",\r\n " : "");
		add_address(mem, &out, &mail->to[i]);
	}
	buf_puts(&out, "\r\nSubject: ");
	add_text(mem, &out, mail->subject);
	buf_printf(&out,
		"\r\nDate: %s\r\nMessage-ID: %s\r\nMIME-Version: 1.0\r\nContent-Type: "
		"text/plain; charset=UTF-8\r\n"
		"Content-Transfer-Encoding: base64\r\nAuto-Submitted: auto-generated\r\n"
		"X-Rbx-Run: %s\r\n\r\n",
		time_mail(mem, mail->at), mail_id(mem, mail), mail->run);
	add_body(mem, &out, mail->text);
	return buf_str(&out);
}
