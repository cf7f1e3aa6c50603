#include "bench.h"

#include "steps/aws/aws.h"

static const char caller[] =
	"<GetCallerIdentityResponse><GetCallerIdentityResult>"
	"<Arn>arn:aws:iam::222222222222:user/x</Arn><Account>222222222222</Account>"
	"</GetCallerIdentityResult></GetCallerIdentityResponse>";

static void
answers_who(struct bench *bench, int status, const char *body)
{
	struct http_answer *answer = arena_new_of(bench->mem, struct http_answer);
	*answer = (struct http_answer){.status = status, .body = str_of(body)};
	fake_always(bench->fake, (struct expected){
		OP_HTTP, .asks = "Action=GetCallerIdentity", .answer = answer});
}

/* The provider as a type of its own, so that it can be tried. */
static struct trial
fetched(struct bench *bench, const char *in)
{
	struct step_type *type = arena_new_of(bench->mem, struct step_type);
	*type = (struct step_type){.name = "credentials", .in = aws_credentials.in,
		.run = aws_credentials.run, .state = aws_credentials.state, .effect = PURE};
	return bench_try(bench, "run", (struct trial){.type = type, .in = in});
}

static void
files(struct bench *bench, const char *credentials, const char *config)
{
	fake_env(bench->fake, "HOME", "/home/op");
	bench_file(bench, "file load /home/op/.aws/credentials", credentials);
	bench_file(bench, "file load /home/op/.aws/config", config);
}

static void
gives(const struct trial *trial, const char *key, const char *source)
{
	bench_ends(trial, STEP_DONE, NULL);
	assert_str(value_get_str(trial->out, "access_key_id"), key);
	assert_str(value_get_str(trial->out, "source"), source);
}

static void
keys_of_the_environment_come_first(void **state)
{
	struct bench *bench = *state;
	fake_env(bench->fake, "AWS_ACCESS_KEY_ID", "AKIAENV");
	fake_env(bench->fake, "AWS_SECRET_ACCESS_KEY", "s");
	fake_env(bench->fake, "AWS_PROFILE", "other");
	fake_env(bench->fake, "AWS_REGION", "eu-west-1");
	files(bench, "[default]\naws_access_key_id=AKIAFILE\naws_secret_access_key=s\n", NULL);
	answers_who(bench, 200, caller);
	struct trial trial = fetched(bench, "{}");
	gives(&trial, "AKIAENV", "environment");
	assert_str(value_get_str(trial.out, "region"), "eu-west-1");
	assert_true((value_get(trial.out, "secret_access_key")->flags & VALUE_SECRET) != 0);
}

static void
a_profile_of_the_step_goes_before(void **state)
{
	struct bench *bench = *state;
	fake_env(bench->fake, "AWS_ACCESS_KEY_ID", "AKIAENV");
	fake_env(bench->fake, "AWS_SECRET_ACCESS_KEY", "s");
	files(bench, "[ops]\naws_access_key_id = AKIAOPS\naws_secret_access_key = s\n",
		"[profile ops]\nregion = sa-east-1\n");
	answers_who(bench, 200, caller);
	struct trial trial = fetched(bench, "{\"profile\":\"ops\"}");
	gives(&trial, "AKIAOPS", "profile ops");
	assert_str(value_get_str(trial.out, "region"), "sa-east-1");
}

static const char assumed[] = "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
	"<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
	"<SessionToken>t</SessionToken><Expiration>2026-01-19T14:00:00Z</Expiration>"
	"</Credentials></AssumeRoleResult></AssumeRoleResponse>";

static void
a_role_is_assumed_with_the_keys_of_its_source(void **state)
{
	struct bench *bench = *state;
	files(bench, "[base]\naws_access_key_id=AKIABASE\naws_secret_access_key=s\n",
		"[default]\nrole_arn=arn:aws:iam::1:role/dr\nsource_profile=base\nexternal_id=x/y\n");
	bench_http(bench, "Credential=AKIABASE/", 200, assumed);
	answers_who(bench, 200, caller);
	struct trial trial = fetched(bench, "{}");
	gives(&trial, "ASIAROLE", "role arn:aws:iam::1:role/dr");
	assert_non_null(value_get(trial.out, "valid_until"));
}

static void
a_role_that_is_refused_is_named(void **state)
{
	struct bench *bench = *state;
	files(bench, "[default]\naws_access_key_id=AKIABASE\naws_secret_access_key=s\n", NULL);
	bench_http(bench, "Action=AssumeRole", 403,
		"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>");
	struct trial trial = fetched(bench, "{\"role\":\"arn:aws:iam::1:role/dr\"}");
	bench_ends(&trial, STEP_FAIL, "role arn:aws:iam::1:role/dr cannot be assumed");
	bench_ends(&trial, STEP_FAIL, "sts:AssumeRole");
	bench_ends(&trial, STEP_FAIL, "AKIABASE");
}

static void
a_web_identity_goes_unsigned(void **state)
{
	struct bench *bench = *state;
	fake_env(bench->fake, "AWS_WEB_IDENTITY_TOKEN_FILE", "/var/token");
	fake_env(bench->fake, "AWS_ROLE_ARN", "arn:aws:iam::1:role/pod");
	files(bench, NULL, NULL);
	bench_file(bench, "file load /var/token", "abc.def\n");
	struct http_answer *answer = arena_new_of(bench->mem, struct http_answer);
	*answer = (struct http_answer){.status = 200, .body = str_of(assumed)};
	fake_expect(bench->fake, (struct expected){OP_HTTP, .asks = "WebIdentityToken=abc.def",
		.lacks = "Authorization", .answer = answer});
	answers_who(bench, 200, caller);
	struct trial trial = fetched(bench, "{}");
	gives(&trial, "ASIAROLE", "role arn:aws:iam::1:role/pod");
}

static const char page[] = "{\"AccessKeyId\":\"ASIAPAGE\",\"SecretAccessKey\":\"s\","
	"\"Token\":\"t\",\"Expiration\":\"2026-01-19T14:00:00Z\"}";

static void
a_container_gives_keys(void **state)
{
	struct bench *bench = *state;
	fake_env(bench->fake, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x");
	fake_env(bench->fake, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/var/auth");
	files(bench, NULL, NULL);
	bench_file(bench, "file load /var/auth", "bearer\n");
	bench_http(bench, "GET http://169.254.170.2/v2/x [Authorization: bearer]", 200, page);
	answers_who(bench, 200, caller);
	struct trial trial = fetched(bench, "{}");
	gives(&trial, "ASIAPAGE", "container");
}

static void
an_instance_gives_keys(void **state)
{
	struct bench *bench = *state;
	files(bench, NULL, NULL);
	bench_http(bench, "PUT http://169.254.169.254/latest/api/token", 200, "TOKEN");
	bench_http(bench, "security-credentials/ [X-aws-ec2-metadata-token: TOKEN]", 200, "the-role\n");
	bench_http(bench, "security-credentials/the-role", 200, page);
	answers_who(bench, 200, caller);
	struct trial trial = fetched(bench, "{}");
	gives(&trial, "ASIAPAGE", "instance metadata");
}

static void
a_role_may_rest_on_the_instance(void **state)
{
	struct bench *bench = *state;
	files(bench, NULL, "[default]\nrole_arn=arn:aws:iam::1:role/dr\n"
		"credential_source=Ec2InstanceMetadata\n");
	bench_http(bench, "PUT http://169.254.169.254/latest/api/token", 200, "TOKEN");
	bench_http(bench, "security-credentials/", 200, "the-role");
	bench_http(bench, "security-credentials/the-role", 200, page);
	bench_http(bench, "Credential=ASIAPAGE/", 200, assumed);
	answers_who(bench, 200, caller);
	struct trial trial = fetched(bench, "{}");
	gives(&trial, "ASIAROLE", "role arn:aws:iam::1:role/dr");
}

static void
a_program_gives_keys(void **state)
{
	struct bench *bench = *state;
	files(bench, NULL, "[default]\ncredential_process = /bin/keys --for me\n");
	fake_expect(bench->fake, (struct expected){OP_EXEC, .asks = "exec: /bin/keys --for me",
		.out = STR("{\"Version\":1,\"AccessKeyId\":\"ASIAPROC\",\"SecretAccessKey\":\"s\"}")});
	answers_who(bench, 200, caller);
	struct trial trial = fetched(bench, "{}");
	gives(&trial, "ASIAPROC", "credential_process of profile default");
}

static void
the_whole_search_is_told(void **state)
{
	struct bench *bench = *state;
	fake_env(bench->fake, "AWS_EC2_METADATA_DISABLED", "true");
	files(bench, NULL, NULL);
	struct trial trial = fetched(bench, "{}");
	bench_ends(&trial, STEP_FAIL,
		"no AWS credentials; tried environment: no AWS_ACCESS_KEY_ID and "
		"AWS_SECRET_ACCESS_KEY; profile default: in neither /home/op/.aws/credentials "
		"nor /home/op/.aws/config; web identity: no AWS_WEB_IDENTITY_TOKEN_FILE and "
		"AWS_ROLE_ARN; container: no AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI; "
		"instance metadata: disabled by AWS_EC2_METADATA_DISABLED");
}

static void
a_circle_of_profiles_is_told(void **state)
{
	files(*state, NULL, "[default]\nrole_arn=arn:a\nsource_profile=b\n"
		"[profile b]\nrole_arn=arn:b\nsource_profile=default\n");
	struct trial trial = fetched(*state, "{}");
	bench_ends(&trial, STEP_FAIL, "goes in a circle: default -> b -> default");
}

static void
a_profile_that_is_not_there_is_told(void **state)
{
	files(*state, NULL, "[default]\nrole_arn=arn:a\nsource_profile=b\n");
	struct trial trial = fetched(*state, "{}");
	bench_ends(&trial, STEP_FAIL, "profile b, the source_profile of default, is in neither file");
}

static void
a_role_that_rests_on_nobody_is_told(void **state)
{
	files(*state, NULL, "[default]\nrole_arn=arn:a\n");
	struct trial trial = fetched(*state, "{}");
	bench_ends(&trial, STEP_FAIL, "profile default: role_arn without source_profile or credential_source");
}

static void
the_settings_of_a_role_are_sent(void **state)
{
	struct bench *bench = *state;
	files(bench, "[base]\naws_access_key_id=AKIABASE\naws_secret_access_key=s\n",
		"[default]\nrole_arn = arn:aws:iam::1:role/dr # the one for disasters\nsource_profile=base\n"
		"external_id=x/y\nduration_seconds=900\nrole_session_name=night\n");
	bench_http(bench, "RoleSessionName=night&DurationSeconds=900&ExternalId=x%2Fy", 200, assumed);
	answers_who(bench, 200, caller);
	struct trial trial = fetched(bench, "{}");
	gives(&trial, "ASIAROLE", "role arn:aws:iam::1:role/dr");
}

static void
roles_are_assumed_one_after_the_other(void **state)
{
	struct bench *bench = *state;
	files(bench, "[base]\naws_access_key_id=AKIABASE\naws_secret_access_key=s\n",
		"[profile  middle]\nrole_arn=arn:middle\nsource_profile=base\n"
		"[default]\nrole_arn=arn:last\nsource_profile=middle\n");
	bench_http(bench, "RoleArn=arn%3Amiddle", 200, assumed);
	bench_http(bench, "Credential=ASIAROLE/", 200, assumed);
	bench_http(bench, "RoleArn=arn%3Athe-step", 200, assumed);
	answers_who(bench, 200, caller);
	struct trial trial = fetched(bench, "{\"role\":\"arn:the-step\"}");
	gives(&trial, "ASIAROLE", "role arn:the-step");
}

static void
lines_of_a_section_below_are_not_its_keys(void **state)
{
	struct bench *bench = *state;
	fake_env(bench->fake, "AWS_EC2_METADATA_DISABLED", "true");
	files(bench, NULL, "[default]\ns3 =\n  aws_access_key_id=AKIANOT\n  aws_secret_access_key=s\n");
	struct trial trial = fetched(bench, "{}");
	bench_ends(&trial, STEP_FAIL, "profile default: no aws_access_key_id");
}

static void
a_program_that_fails_ends_the_search(void **state)
{
	struct bench *bench = *state;
	files(bench, NULL, "[default]\ncredential_process = \"/opt/my keys\" 'for me'\n");
	fake_expect(bench->fake, (struct expected){OP_EXEC, .asks = "exec: /opt/my keys for me", .exit = 3});
	struct trial trial = fetched(bench, "{}");
	bench_ends(&trial, STEP_FAIL, "credential_process: it ended with exit code 3");
}

static void
a_token_goes_to_no_stranger(void **state)
{
	struct bench *bench = *state;
	fake_env(bench->fake, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.evil.example/x");
	fake_env(bench->fake, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "bearer");
	files(bench, NULL, NULL);
	struct trial trial = fetched(bench, "{}");
	bench_ends(&trial, STEP_FAIL, "neither https nor an address of this machine");
}

static void
an_instance_is_asked_twice(void **state)
{
	struct bench *bench = *state;
	files(bench, NULL, NULL);
	bench_fails(bench, OP_HTTP, "PUT http://169.254.169.254/latest/api/token", ERR_TIMEOUT, REACH_NONE);
	bench_fails(bench, OP_HTTP, "PUT http://169.254.169.254/latest/api/token", ERR_TIMEOUT, REACH_NONE);
	struct trial trial = fetched(bench, "{}");
	bench_ends(&trial, STEP_FAIL, "instance metadata: as the network says");
}

static void
keys_of_another_account_are_refused(void **state)
{
	struct bench *bench = *state;
	files(bench, "[default]\naws_access_key_id=AKIABASE\naws_secret_access_key=s\n", NULL);
	answers_who(bench, 200, caller);
	struct trial trial = fetched(bench, "{\"account\":\"111111111111\"}");
	bench_ends(&trial, STEP_FAIL, "belong to account 222222222222");
}

static void
whose_they_are_is_told(void **state)
{
	struct bench *bench = *state;
	files(bench, "[default]\naws_access_key_id=AKIABASE\naws_secret_access_key=s\n", NULL);
	answers_who(bench, 200, caller);
	struct trial trial = fetched(bench, "{}");
	bench_ends(&trial, STEP_DONE, NULL);
	assert_str(value_get_str(value_get(trial.out, "identity"), "text"),
		"AWS account 222222222222, arn:aws:iam::222222222222:user/x (keys from profile default)");
}

static void
whose_they_are_may_be_unknown(void **state)
{
	struct bench *bench = *state;
	files(bench, "[default]\naws_access_key_id=AKIABASE\naws_secret_access_key=s\n", NULL);
	bench_fails(bench, OP_HTTP, "GetCallerIdentity", ERR_CONNECT, REACH_NONE);
	struct trial trial = fetched(bench, "{}");
	bench_ends(&trial, STEP_DONE, NULL);
	assert_str(value_get_str(value_get(trial.out, "identity"), "text"),
		"AWS key AKIABASE, of whom is unknown: whose the credentials are could not be "
		"asked: as the network says (keys from profile default)");
}

static void
unless_somebody_limits_it(void **state)
{
	struct bench *bench = *state;
	files(bench, "[default]\naws_access_key_id=AKIABASE\naws_secret_access_key=s\n", NULL);
	bench_fails(bench, OP_HTTP, "GetCallerIdentity", ERR_CONNECT, REACH_NONE);
	struct trial trial = fetched(bench, "{\"account\":\"222222222222\"}");
	bench_ends(&trial, STEP_FAIL, "whose the credentials are could not be asked");
}

static void
it_is_asked_once_for_the_same_key(void **state)
{
	struct bench *bench = *state;
	struct step_type type = {.name = "credentials", .in = aws_credentials.in,
		.run = aws_credentials.run, .state = aws_credentials.state, .effect = PURE};
	files(bench, "[default]\naws_access_key_id=AKIABASE\naws_secret_access_key=s\n", NULL);
	struct trial trial = bench_try(bench, "run", (struct trial){.type = &type, .in = "{}",
		.saved = "{\"access_key_id\":\"AKIABASE\",\"source\":\"profile default\","
			"\"account\":\"222222222222\",\"arn\":\"arn:aws:iam::222222222222:user/x\"}"});
	bench_ends(&trial, STEP_DONE, NULL);
	assert_str(value_get_str(trial.out, "account"), "222222222222");
}

/* ---- MFA */

static const char with_device[] = "[default]\nrole_arn=arn:aws:iam::1:role/dr\nsource_profile=base\n"
	"mfa_serial=arn:aws:iam::1:mfa/op\n";
static const char base[] = "[base]\naws_access_key_id=AKIABASE\naws_secret_access_key=s\n";

static struct trial
typed(struct bench *bench, const char *said)
{
	struct step_type *type = arena_new_of(bench->mem, struct step_type);
	*type = (struct step_type){.name = "credentials", .in = aws_credentials.in,
		.run = aws_credentials.run, .state = aws_credentials.state, .effect = PURE};
	return bench_try(bench, "run",
		(struct trial){.type = type, .in = "{}", .said = said});
}

static void
a_code_of_the_environment_is_sent(void **state)
{
	struct bench *bench = *state;
	fake_env(bench->fake, "RBX_MFA_CODE", "123456");
	files(bench, base, with_device);
	answers_who(bench, 200, caller);
	bench_http(bench, "SerialNumber=arn%3Aaws%3Aiam%3A%3A1%3Amfa%2Fop&TokenCode=123456", 200, assumed);
	struct trial trial = typed(bench, NULL);
	gives(&trial, "ASIAROLE", "role arn:aws:iam::1:role/dr");
}

static void
a_code_is_asked_of_the_person(void **state)
{
	struct bench *bench = *state;
	files(bench, base, with_device);
	answers_who(bench, 200, caller);
	bench_http(bench, "TokenCode=654321", 200, assumed);
	struct trial trial = typed(bench, "654321");
	gives(&trial, "ASIAROLE", "role arn:aws:iam::1:role/dr");
	assert_string_equal(
		trial.asked, "MFA code of arn:aws:iam::1:mfa/op (profile default)");
}

static void
a_wrong_code_is_asked_for_again(void **state)
{
	struct bench *bench = *state;
	static const char refused[] = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>"
		"MultiFactorAuthentication failed with invalid MFA one time pass code."
		"</Message></Error></ErrorResponse>";
	files(bench, base, with_device);
	for (int i = 0; i < 3; i++)
		bench_http(bench, "TokenCode=111111", 403, refused);
	struct trial trial = typed(bench, "111111");
	bench_ends(&trial, STEP_FAIL, "MultiFactorAuthentication failed");
	assert_non_null(strstr(trial.asked, "That one was not accepted. MFA code of"));
}

static void
without_a_person_the_profile_is_named(void **state)
{
	struct bench *bench = *state;
	files(bench, base, with_device);
	struct trial trial = typed(bench, NULL);
	bench_ends(&trial, STEP_FAIL, "MFA device arn:aws:iam::1:mfa/op (profile default)");
	bench_ends(&trial, STEP_FAIL, "RBX_MFA_CODE");
}

/* ---- a signature that is out of date */

static void
answers_at(struct bench *bench, const char *asks, int status, const char *date, const char *code)
{
	struct http_answer *answer = arena_new_of(bench->mem, struct http_answer);
	struct header *header = arena_new_of(bench->mem, struct header);
	*header = (struct header){"date", date};
	*answer = (struct http_answer){.status = status, .headers = header, .n_headers = 1,
		.body = str_of(arena_printf(bench->mem, "<Error><Code>%s</Code></Error>", code))};
	fake_expect(bench->fake, (struct expected){OP_HTTP, .asks = asks, .answer = answer});
}

static struct trial
headed(struct bench *bench)
{
	return bench_try(bench, "run", (struct trial){.type = bench_type("s3_check"),
		.in = "{\"url\":\"s3://pot/k\",\"expect\":{\"absent\":true}}", .got = bench_keys});
}

static void
the_time_of_the_service_is_taken(void **state)
{
	struct bench *bench = *state;
	answers_at(bench, "X-Amz-Date: 20260119T130000Z", 403, "Mon, 19 Jan 2026 13:10:05 GMT",
		"RequestTimeTooSkewed");
	answers_at(bench, "X-Amz-Date: 20260119T131005Z", 404, "Mon, 19 Jan 2026 13:10:05 GMT",
		"NoSuchKey");
	struct trial trial = headed(bench);
	bench_ends(&trial, STEP_DONE, NULL);
}

static void
it_is_taken_once(void **state)
{
	struct bench *bench = *state;
	answers_at(bench, "T130000Z", 403, "Mon, 19 Jan 2026 13:10:05 GMT", "RequestTimeTooSkewed");
	answers_at(bench, "T131005Z", 403, "Mon, 19 Jan 2026 14:10:05 GMT", "RequestTimeTooSkewed");
	struct trial trial = headed(bench);
	bench_ends(&trial, STEP_FAIL, "RequestTimeTooSkewed");
}

static void
a_clock_that_agrees_is_not_the_reason(void **state)
{
	struct bench *bench = *state;
	answers_at(bench, "T130000Z", 403, "Mon, 19 Jan 2026 13:03:05 GMT", "SignatureDoesNotMatch");
	struct trial trial = headed(bench);
	bench_ends(&trial, STEP_FAIL, "SignatureDoesNotMatch");
}

/* ---- SSO */

static const char legacy[] = "[default]\nsso_start_url=https://d-1.awsapps.com/start\n"
	"sso_region=eu-west-1\nsso_account_id=222222222222\nsso_role_name=dr\n";
/* sha1sum of the two names */
static const char legacy_token[] =
	"file load /home/op/.aws/sso/cache/0c54b6c27e90660baa89eaad85ac1d5dae26cb7d.json";

static void
a_login_gives_keys(void **state)
{
	struct bench *bench = *state;
	files(bench, NULL, legacy);
	bench_file(bench, legacy_token,
		"{\"accessToken\":\"TOKEN\",\"expiresAt\":\"2026-01-19T14:00:00Z\"}");
	bench_http(bench, "GET https://portal.sso.eu-west-1.amazonaws.com/federation/credentials"
		"?account_id=222222222222&role_name=dr [x-amz-sso_bearer_token: TOKEN]", 200,
		"{\"roleCredentials\":{\"accessKeyId\":\"ASIASSO\",\"secretAccessKey\":\"s\","
		"\"sessionToken\":\"t\",\"expiration\":1768831200000}}");
	answers_who(bench, 200, caller);
	struct trial trial = fetched(bench, "{}");
	gives(&trial, "ASIASSO", "SSO of profile default");
	assert_string_equal(
		time_text_us(bench->mem, span_us(value_get(trial.out, "valid_until")->span)),
		"2026-01-19T14:00:00Z");
}

static void
a_session_may_be_shared(void **state)
{
	struct bench *bench = *state;
	files(bench, NULL, "[default]\nsso_session = work\nsso_account_id=2\nsso_role_name=dr\n"
		"[sso-session work]\nsso_region=eu-west-1\nsso_start_url=https://d-1.awsapps.com/start\n");
	bench_file(bench, "file load /home/op/.aws/sso/cache/e274eeff768c6396088ec6eb091f4bf4d47ab1e0.json",
		"{\"accessToken\":\"TOKEN\",\"expiresAt\":\"2026-01-19T14:00:00Z\"}");
	bench_http(bench, "role_name=dr", 401, "{}");
	struct trial trial = fetched(bench, "{}");
	bench_ends(&trial, STEP_FAIL, "SSO: the login is no longer accepted");
}

static void
an_expired_login_says_what_to_run(void **state)
{
	struct bench *bench = *state;
	files(bench, NULL, legacy);
	bench_file(bench, legacy_token,
		"{\"accessToken\":\"TOKEN\",\"expiresAt\":\"2026-01-19T12:00:00UTC\"}");
	struct trial trial = fetched(bench, "{}");
	bench_ends(&trial, STEP_FAIL, "SSO: the login has expired");
	bench_ends(&trial, STEP_FAIL, "run: aws sso login --profile default");
}

static void
nobody_has_logged_in(void **state)
{
	struct bench *bench = *state;
	files(bench, NULL, legacy);
	bench_file(bench, legacy_token, NULL);
	struct trial trial = fetched(bench, "{}");
	bench_ends(&trial, STEP_FAIL, "SSO: nobody has logged in");
	bench_ends(&trial, STEP_FAIL, "run: aws sso login --profile default");
}

static enum verdict
presign(struct step *step, const struct event *event)
{
	static const struct aws_service rds = {"rds", "RDS", "rds"};
	struct aws_call call = {.service = &rds, .method = "GET", .path = STR("/"),
		.query = STR("Action=CopyDBSnapshot&DestinationRegion=eu-central-1"),
		.region = "us-east-1"};
	const char *url = aws_presign(step, event->now, &call, 3600);
	return url == NULL ? STEP_FAIL : step_done(step, value_str(str_of(url)));
}

/* The signature was computed by botocore 1.43 (SigV4QueryAuth, signing name rds). */
static void
a_copy_is_asked_by_a_url(void **state)
{
	static const struct field none[] = {{.name = NULL}};
	static const struct step_type type = {
		.name = "presign", .in = none, .run = presign, .effect = PURE};
	struct bench *bench = *state;
	struct trial trial = bench_try(bench, "run", (struct trial){.type = &type,
		.in = "{}", .got = bench_keys});
	bench_ends(&trial, STEP_DONE, NULL);
	assert_str(trial.out->str, "https://rds.us-east-1.amazonaws.com/"
		"?Action=CopyDBSnapshot&DestinationRegion=eu-central-1"
		"&X-Amz-Algorithm=AWS4-HMAC-SHA256"
		"&X-Amz-Credential=AKIDEXAMPLE%2F20260119%2Fus-east-1%2Frds%2Faws4_request"
		"&X-Amz-Date=20260119T130000Z&X-Amz-SignedHeaders=host&X-Amz-Expires=3600"
		"&X-Amz-Signature=a6fc708cd5c90032b7177336e6a52e06ddb8fc16bc2545a53378d0940208cadf");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(keys_of_the_environment_come_first),
		BENCH_TEST(a_profile_of_the_step_goes_before),
		BENCH_TEST(a_role_is_assumed_with_the_keys_of_its_source),
		BENCH_TEST(a_role_that_is_refused_is_named),
		BENCH_TEST(a_web_identity_goes_unsigned),
		BENCH_TEST(a_container_gives_keys),
		BENCH_TEST(an_instance_gives_keys),
		BENCH_TEST(a_role_may_rest_on_the_instance),
		BENCH_TEST(a_program_gives_keys),
		BENCH_TEST(the_whole_search_is_told),
		BENCH_TEST(a_circle_of_profiles_is_told),
		BENCH_TEST(a_profile_that_is_not_there_is_told),
		BENCH_TEST(a_role_that_rests_on_nobody_is_told),
		BENCH_TEST(the_settings_of_a_role_are_sent),
		BENCH_TEST(roles_are_assumed_one_after_the_other),
		BENCH_TEST(lines_of_a_section_below_are_not_its_keys),
		BENCH_TEST(a_program_that_fails_ends_the_search),
		BENCH_TEST(a_token_goes_to_no_stranger),
		BENCH_TEST(an_instance_is_asked_twice),
		BENCH_TEST(a_code_of_the_environment_is_sent),
		BENCH_TEST(a_code_is_asked_of_the_person),
		BENCH_TEST(a_wrong_code_is_asked_for_again),
		BENCH_TEST(without_a_person_the_profile_is_named),
		BENCH_TEST(the_time_of_the_service_is_taken),
		BENCH_TEST(it_is_taken_once),
		BENCH_TEST(a_clock_that_agrees_is_not_the_reason),
		BENCH_TEST(a_login_gives_keys),
		BENCH_TEST(a_session_may_be_shared),
		BENCH_TEST(an_expired_login_says_what_to_run),
		BENCH_TEST(nobody_has_logged_in),
		BENCH_TEST(a_copy_is_asked_by_a_url),
		BENCH_TEST(keys_of_another_account_are_refused),
		BENCH_TEST(whose_they_are_is_told),
		BENCH_TEST(whose_they_are_may_be_unknown),
		BENCH_TEST(unless_somebody_limits_it),
		BENCH_TEST(it_is_asked_once_for_the_same_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
