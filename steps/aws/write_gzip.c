/* Bodies of operations that take gzip (Smithy, "requestCompression"). */
#include "../steps/aws/protocol_part.h"

#include <strings.h>
#include <zlib.h>

/* Below it compression costs more than it saves (SDKs and Tools Reference Guide, "Request
 * compression"). */
enum { LEAST = 10240 };

enum { AS_GZIP = 16 };

static bool
gzip(struct arena *mem, struct str bytes, struct str *out)
{
	z_stream z = {.next_in = (Bytef *)bytes.p, .avail_in = (uInt)bytes.n};
	if (bytes.n > UINT32_MAX
		|| deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
			   MAX_WBITS + AS_GZIP, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY)
			!= Z_OK)
		return false;
	size_t most = deflateBound(&z, (uLong)bytes.n);
	char *copy = arena_alloc(mem, most);
	z.next_out = (Bytef *)copy;
	z.avail_out = (uInt)most;
	bool good = deflate(&z, Z_FINISH) == Z_STREAM_END;
	*out = (struct str){copy, z.total_out};
	deflateEnd(&z);
	return good;
}

void
write_gzip(struct wire *w, struct protocol_request *out)
{
	struct header *headers =
		arena_array(w->mem, struct header, out->n_headers + 1);
	struct header *said = NULL;
	if (!w->operation->gzip || out->body.n < LEAST
		|| !gzip(w->mem, out->body, &out->body))
		return;
	for (size_t i = 0; i < out->n_headers; i++) {
		headers[i] = out->headers[i];
		if (strcasecmp(headers[i].name, "Content-Encoding") == 0)
			said = &headers[i];
	}
	if (said == NULL)
		headers[out->n_headers++] = (struct header){"Content-Encoding", "gzip"};
	else
		said->value = arena_printf(w->mem, "%s, gzip", said->value);
	out->headers = headers;
}
