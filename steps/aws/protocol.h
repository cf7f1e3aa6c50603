/* What is said and answered, by the model: one writer and one reader for each of the
 * protocols query, ec2, json 1.0 and 1.1, rest-json and rest-xml (Smithy, "AWS
 * protocols"). Pure: no endpoint, no signature, nothing is sent. */
#ifndef STEPS_AWS_PROTOCOL_H
#define STEPS_AWS_PROTOCOL_H

#include "../steps/aws/model.h"

struct protocol_request {
	const char *method;
	/* As they will stand on the wire; path begins with '/'. */
	struct str path, query;
	/* Besides Host, Content-Length and those of a signature; Content-Type is not
	 * among them. */
	const struct header *headers;
	size_t n_headers;
	const char *content_type;                     /* NULL: no body */
	struct str body;
	const char *host_prefix;                      /* "label."; "": none */
};

/* `params` is a map by the model's names. In the place of a blob stand bytes or text (as
 * UTF-8), of a time a timestamp, text of RFC 3339 or seconds since 1970, of a document
 * any data; where a payload is a blob or text, a map or list is written as JSON.
 * ERR_VALUE: a member that is required for the path is missing or empty, a value cannot
 * be written or is of another kind; what else with.h finds is not found again here. */
bool protocol_write(struct arena *mem, struct service *service,
	const struct operation *operation, const struct value *params,
	struct protocol_request *out, struct err *err);

/* A successful answer as a map by the model's names: times as V_TIMESTAMP, blobs as
 * V_BYTES, sensitive members with the secret bit. Absent members are absent, null ones
 * too. Text may be a view of the answer. ERR_PROTOCOL: the body is not what the model
 * says. */
bool protocol_read(struct arena *mem, struct service *service,
	const struct operation *operation, const struct http_answer *answer,
	struct value *out, struct err *err);

/* What an answer that is an error says: code as the service says it (without namespace
 * and URL; of a service that spoke the query protocol before, that of the query
 * protocol), message, request id, each empty where it is not said; `members`: the error's
 * members by the model, where it has them. `operation` NULL: any; `service` NULL: told by
 * the form of the answer alone, without members. */
struct protocol_refusal {
	struct str code, message, request_id;
	struct value members;
};
void protocol_error(struct arena *mem, struct service *service,
	const struct operation *operation, const struct http_answer *answer,
	struct protocol_refusal *out);

#endif
