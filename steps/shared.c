#include "shared.h"

const struct field aws_fields[] = {
	{.name = "region", .type = FIELD_TEXT, .pattern = "[a-z0-9-]+",
	 .help = "of the call or the bucket; else the environment's or the profile's"},
	{.name = "account", .type = FIELD_TEXT, .pattern = "[0-9]{12}",
	 .help = "the account to which the credentials must belong"},
	{.name = "profile", .type = FIELD_TEXT, .help = "whose credentials are used"},
	{.name = "role", .type = FIELD_TEXT, .pattern = "arn:.*", .help = "a role to assume (ARN)"},
	{.name = "endpoint", .type = FIELD_URL,
	 .help = "another place to call; else AWS_ENDPOINT_URL of the environment"},
	{.name = NULL},
};

const struct field connection_fields[] = {
	{.name = "host", .type = FIELD_TEXT, .flags = FIELD_REQUIRED,
	 .help = "name or address; a path is the folder of a socket"},
	{.name = "port", .type = FIELD_INT, .otherwise = "5432", .least = 1, .most = 65535,
	 .help = "of the server"},
	{.name = "db", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "the database"},
	{.name = "user", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "the role"},
	{.name = "sslmode", .type = FIELD_TEXT,
	 .words = (const char *const[]){"disable", "require", "verify-ca", "verify-full", NULL},
	 .help = "verify-full; on loopback and sockets disable. Anything weaker elsewhere is told"},
	{.name = "ca", .type = FIELD_PATH, .flags = FIELD_READ, .help = "CA bundle; else the system's"},
	{.name = NULL},
};

const char *const http_methods[] = {
	"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", NULL,
};

const struct field http_fields[] = {
	{.name = "url", .type = FIELD_URL, .flags = FIELD_REQUIRED, .help = "what is asked"},
	{.name = "headers", .type = FIELD_MAP, .each = FIELD_SECRET, .help = "sent with the request"},
	{.name = "body", .type = FIELD_SECRET, .either = 1, .help = "the body as text"},
	{.name = "json", .type = FIELD_DATA, .flags = FIELD_TAKES_SECRET, .either = 1,
	 .help = "the body as JSON"},
	{.name = "form", .type = FIELD_MAP, .each = FIELD_SECRET, .either = 1,
	 .help = "the body as a form"},
	{.name = "connect_to", .type = FIELD_HOST_PORT,
	 .help = "connect there; the URL's name stays for TLS and Host"},
	{.name = "resolver", .type = FIELD_HOST_PORT, .help = "name server; else the system's"},
	{.name = "ca", .type = FIELD_PATH, .flags = FIELD_READ, .help = "CA bundle; else the system's"},
	{.name = "max_body", .type = FIELD_SIZE, .otherwise = "1MiB", .least = 0, .most = 16 << 20,
	 .help = "the answer may be this long"},
	{.name = NULL},
};
