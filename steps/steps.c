#include "../steps/steps.h"

extern const struct step_type aws_type;
extern const struct step_type azure_type;
extern const struct step_type dns_check_type;
extern const struct step_type exec_type;
extern const struct step_type file_check_type;
extern const struct step_type http_check_type;
extern const struct step_type http_request_type;
extern const struct step_type manual_type;
extern const struct step_type notify_type;
extern const struct step_type pg_dump_type;
extern const struct step_type pg_restore_type;
extern const struct step_type route53_upsert_type;
extern const struct step_type s3_check_type;
extern const struct step_type s3_copy_type;
extern const struct step_type s3_delete_type;
extern const struct step_type s3_get_type;
extern const struct step_type s3_put_type;
extern const struct step_type s3_sync_type;
extern const struct step_type sql_type;
extern const struct step_type sql_check_type;
extern const struct step_type ssh_type;
extern const struct step_type tcp_check_type;
extern const struct step_type terraform_apply_type;
extern const struct step_type terraform_output_type;
extern const struct step_type tls_check_type;
extern const struct step_type wait_type;

const struct step_type *const step_types[] = {
	&aws_type,
	&azure_type,
	&dns_check_type,
	&exec_type,
	&file_check_type,
	&http_check_type,
	&http_request_type,
	&manual_type,
	&notify_type,
	&pg_dump_type,
	&pg_restore_type,
	&route53_upsert_type,
	&s3_check_type,
	&s3_copy_type,
	&s3_delete_type,
	&s3_get_type,
	&s3_put_type,
	&s3_sync_type,
	&sql_type,
	&sql_check_type,
	&ssh_type,
	&tcp_check_type,
	&terraform_apply_type,
	&terraform_output_type,
	&tls_check_type,
	&wait_type,
	NULL,
};
