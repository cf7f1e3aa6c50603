/* Where a call goes and for which region it is signed: what somebody set, else what the
 * models say for the region's partition, with FIPS and dual stack where the environment
 * asks for them (AWS SDKs and Tools Reference Guide, "Service-specific endpoints"). */
#ifndef STEPS_AWS_ENDPOINT_H
#define STEPS_AWS_ENDPOINT_H

#include "../steps/aws/model.h"

/* What has to be known of a service to find it: its name in the models. */
struct aws_service {
	const char *name; /* "route53" */
	const char *id; /* as in AWS_ENDPOINT_URL_<ID>: "ROUTE_53" */
	const char *signing_name;
};

extern const struct aws_service aws_s3, aws_route53, aws_sts;

struct endpoint {
	const char *scheme; /* "https://" */
	const char *host; /* with its port */
	struct str path; /* in front of every path; empty, or "/x" */
	const char *signing_region;
	bool is_own; /* somebody set it: S3 goes by path style */
};

/* `template` NULL: that of the service; else of the operation. ERR_UNKNOWN_NAME: the
 * models know no host for it in this region; what may help stands in the hint. */
bool endpoint_find(struct step *step, const struct aws_service *service,
	const char *region, const char *template, struct endpoint *out, struct err *err);

/* The region that limits.regions counts: the one that the call is signed for, which of a
 * global service is that of its control plane. NULL: as endpoint_find. */
const char *endpoint_control(struct arena *mem, const char *service, const char *region);

/* "ROUTE_53" of "Route 53". */
const char *endpoint_variable(struct arena *mem, const char *id);

const char *aws_region(struct step *step);            /* never NULL: us-east-1 at last */

#endif
