/* Rows of arguments that several step types share (language.md, "Shared arguments"): they stand in a table as a row of
 * the type FIELD_ROWS. */
#ifndef STEPS_SHARED_H
#define STEPS_SHARED_H

#include "run/step.h"

extern const struct field aws_fields[];               /* region, account, profile, role, endpoint */
extern const struct field connection_fields[];        /* host, port, db, user, sslmode, ca: all but the password */
extern const struct field http_fields[];              /* all but method, whose default differs */
extern const char *const http_methods[];

#endif
