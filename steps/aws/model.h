/* An AWS service understood: its operations, the shapes of what goes in and comes out,
 * and how each is written on the wire (Smithy's AWS protocols as botocore's service-2
 * files name them). Everything is read when it is first asked for, and lives with the
 * model. */
#ifndef STEPS_AWS_MODEL_H
#define STEPS_AWS_MODEL_H

#include "../steps/aws/facts.h"

enum protocol {
	PROTOCOL_QUERY,
	PROTOCOL_EC2,
	PROTOCOL_JSON,
	PROTOCOL_REST_JSON,
	PROTOCOL_REST_XML
};

enum shape_kind {
	SHAPE_STRUCTURE,
	SHAPE_LIST,
	SHAPE_MAP,
	SHAPE_TEXT,
	SHAPE_INT,
	SHAPE_FLOAT,
	SHAPE_BOOL,
	SHAPE_TIME,
	SHAPE_BLOB,
};

/* Where a member of a request or an answer stands; URI, QUERY, HEADER, HEADERS (a map
 * whose names have the wire name in front) and STATUS only in the REST protocols. */
enum member_place { IN_BODY, IN_URI, IN_QUERY, IN_HEADER, IN_HEADERS, IN_STATUS };

enum trait {
	TRAIT_REQUIRED = 1,
	TRAIT_FLATTENED = 2,
	TRAIT_ATTRIBUTE = 4,    /* of an XML element */
	TRAIT_STREAMING = 8,
	TRAIT_TOKEN = 16,       /* an idempotency token */
	TRAIT_HOST_LABEL = 32,
	TRAIT_JSON_TEXT = 64,   /* JSON as text in a header (jsonvalue) */
	TRAIT_SENSITIVE = 128,
	TRAIT_UNION = 256,      /* exactly one member is set */
	TRAIT_DOCUMENT = 512,   /* any JSON */
	TRAIT_EVENTS = 1024,    /* an event stream: not spoken */
	TRAIT_ERROR = 2048,
	TRAIT_CLIENT = 4096,    /* said to rbx, not to AWS: SourceRegion */
};

enum time_form { TIME_BY_PROTOCOL, TIME_ISO8601, TIME_UNIX, TIME_RFC822 };

/* A shape in the place of another: traits said here hold before those of the shape, and
 * ref_time and ref_traits join them. */
struct shape_ref {
	const char *name; /* as playbooks say it; NULL: of a list, a map, a whole input */
	const char *shape;
	const char *wire;       /* locationName; NULL: by the name */
	const char *query_name; /* of the ec2 protocol; NULL */
	const char *ns, *ns_prefix;                   /* xmlNamespace; NULL */
	enum member_place place;
	enum time_form time;
	unsigned traits;
};

struct shape {
	const char *name;
	enum shape_kind kind;
	unsigned traits;
	enum time_form time;
	const char *wire, *ns, *ns_prefix;
	const struct shape_ref *members;                 /* STRUCTURE */
	size_t n_members;
	const char *payload; /* the member that is the whole body; NULL */
	struct shape_ref item, key, value;               /* LIST: item; MAP: key, value */
	const struct value *words; /* the only values of a TEXT; NULL */
	const struct value *least, *most; /* of a number, or of a length; NULL */
	const char *pattern;
	const char
		*error_code; /* of an error, where the wire says another than the name */
	int error_status;                             /* 0: not said */
};

struct operation {
	const char *name, *method, *uri; /* "/2015-03-31/functions/{Name}?x=y" */
	int status;                                   /* of success; 0: 200 */
	struct shape_ref input, output;                  /* shape NULL: none */
	const char *result_wrapper; /* query: the element around the result */
	const char *const *errors;                    /* shapes, NULL-ended */
	const char *const
		*tokens; /* idempotency tokens among the input's members, NULL-ended */
	const char *presigned; /* the member that takes a signed URL of the same call in
				  the region of the source (SourceRegion); NULL */
	const char *host_prefix;                      /* "{RequestRoute}."; NULL */
	const char *host; /* a template of its own, as in hosts of the service; NULL */
	bool unsigned_, unsigned_payload;
	bool checksum; /* the body's checksum must be sent (Content-MD5 or
			  x-amz-checksum-*) */
	bool deprecated;
	bool gzip; /* a large body may be compressed */
};

struct service {
	struct model *model;
	const char *name; /* as playbooks say it: "route53" */
	const char *id, *title;                       /* "Route 53", "Amazon Route 53" */
	enum protocol protocol;
	const char *version, *signing, *json_version, *target_prefix, *ns;
	bool query_compatible; /* errors by the header x-amzn-query-error */
	const struct value
		*facts; /* hosts, regions, partitions, signs: endpoint.c reads them */
	struct shape_table *shapes;
};

struct model *model_open(struct arena *mem);
/* Why a model of one's own could not be read; NULL: all is well. */
const struct err *model_err(const struct model *model);
struct facts *model_facts(struct model *model);
struct arena *service_mem(const struct service *service); /* of its model */

/* NULL: unknown. A name is that of the AWS CLI: "rds", "elbv2". */
struct service *model_service(struct model *model, struct str name);
const char *const *model_services(struct model *model);

/* NULL: unknown, or of a form that is not understood. */
const struct operation *service_operation(struct service *service, struct str name);
const char *const *service_operations(struct service *service);

/* A shape by name, kept. NULL: a model of one's own misses it. */
const struct shape *service_shape(struct service *service, const char *name);

/* The member of that name; NULL. */
const struct shape_ref *shape_find(const struct shape *shape, struct str name);

/* What holds for a member: what it says itself, then what its shape says. */
enum time_form ref_time(const struct shape_ref *ref, const struct shape *shape);
unsigned ref_traits(const struct shape_ref *ref, const struct shape *shape);

#endif
