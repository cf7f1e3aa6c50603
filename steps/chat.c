#include "chat.h"

/* At most so many bytes, none of them half a character; what was cut off is shown. */
static struct str
fitting(struct arena *mem, struct str text, size_t most)
{
	static const char more[] = "…";
	if (text.n <= most)
		return text;
	size_t n = most - strlen(more);
	while (n > 0 && ((unsigned char)text.p[n] & 0xc0) == 0x80)
		n--;
	return str_of(arena_printf(mem, "%.*s%s", (int)n, text.p, more));
}

/* A single line break does not show in a TextBlock. A message of more than 28 KB is
 * refused (Microsoft, "Create and send messages"), and JSON may double a text. */
static struct str
teams_text(struct arena *mem, struct str whole)
{
	enum { MOST = 12000 };
	struct str text = fitting(mem, whole, MOST);
	struct buf lines = buf_in(mem);
	for (size_t i = 0; i < text.n; i++) {
		bool alone = text.p[i] == '\n' && (i == 0 || text.p[i - 1] != '\n')
			&& (i + 1 == text.n || text.p[i + 1] != '\n');
		buf_putc(&lines, text.p[i]);
		if (alone)
			buf_putc(&lines, '\n');
	}
	return buf_str(&lines);
}

struct value
chat_teams(struct arena *mem, const char *subject, struct str words)
{
	struct map_builder title = {.mem = mem}, text = {.mem = mem},
			   card = {.mem = mem};
	struct map_builder attachment = {.mem = mem}, message = {.mem = mem};
	struct list_builder body = {.mem = mem}, attachments = {.mem = mem};
	map_put(&title, "type", value_str(STR("TextBlock")));
	map_put(&title, "text", value_str(str_of(subject)));
	map_put(&title, "weight", value_str(STR("Bolder")));
	map_put(&text, "type", value_str(STR("TextBlock")));
	map_put(&title, "wrap", value_bool(true));
	map_put(&text, "text", value_str(teams_text(mem, words)));
	map_put(&text, "wrap", value_bool(true));
	list_push(&body, map_done(&title));
	list_push(&body, map_done(&text));
	map_put(&card, "$schema",
		value_str(STR("http://adaptivecards.io/schemas/adaptive-card.json")));
	map_put(&card, "type", value_str(STR("AdaptiveCard")));
	map_put(&card, "version", value_str(STR("1.2")));
	map_put(&card, "body", list_done(&body));
	map_put(&attachment, "contentType",
		value_str(STR("application/vnd.microsoft.card.adaptive")));
	map_put(&attachment, "content", map_done(&card));
	list_push(&attachments, map_done(&attachment));
	map_put(&message, "type", value_str(STR("message")));
	map_put(&message, "attachments", list_done(&attachments));
	return map_done(&message);
}

/* One incident a run: the key is the run's, so that a resolve ends what a trigger began
 * (PagerDuty Events API v2). */
struct value
chat_pagerduty(struct step *step, struct str text)
{
	enum { SUMMARY_MOST = 1024, DETAILS_MOST = 100000 };
	struct map_builder event = {.mem = step->mem}, payload = {.mem = step->mem},
			   details = {.mem = step->mem};
	bool resolve = value_get_bool(step->in, "resolve", false);
	map_put(&event, "routing_key", *value_get(step->in, "routing_key"));
	map_put(&event, "event_action",
		value_str(resolve ? STR("resolve") : STR("trigger")));
	map_put(&event, "dedup_key", value_text(step->mem, "rbx-%s", step->run));
	if (!resolve) {
		map_put(&payload, "summary",
			value_str(fitting(step->mem, text, SUMMARY_MOST)));
		map_put(&payload, "source", value_text(step->mem, "rbx %s", step->book));
		map_put(&payload, "severity",
			value_str(value_get_str(step->in, "severity")));
		map_put(&details, "run", value_str(str_of(step->run)));
		map_put(&details, "playbook", value_str(str_of(step->book)));
		if (text.n > SUMMARY_MOST)
			map_put(&details, "text",
				value_str(fitting(step->mem, text, DETAILS_MOST)));
		map_put(&payload, "custom_details", map_done(&details));
		map_put(&event, "payload", map_done(&payload));
	}
	return map_done(&event);
}
