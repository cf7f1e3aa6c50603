/* The two files of the AWS command line: ~/.aws/config and ~/.aws/credentials (AWS SDKs
 * and Tools Reference, "Shared config and credentials files"). */
#ifndef STEPS_AWS_PROFILE_H
#define STEPS_AWS_PROFILE_H

#include "../steps/aws/chain.h"

/* The value of `key` in section [name] of a text; p NULL: not there. Lines that begin
 * with a blank belong to the key above them. */
struct str ini_get(struct str text, const char *section, const char *key);
bool ini_has(struct str text, const char *section);

/* A key of a profile: of the credentials file first, then of the config file, where the
 * section is [profile x], or [default]. */
struct str profile_get(struct step *step, const char *profile, const char *key);
bool profile_exists(struct step *step, const char *profile);

#endif
