/* Forms of single values: what field.c and the inputs of a playbook judge alike. Each
 * takes a value as it was written or evaluated, gives its final form, and says in err
 * what was expected. */
#ifndef DATA_FIELD_VALUE_H
#define DATA_FIELD_VALUE_H

#include "data/field.h"

/* scalars only; as written */
bool value_to_text(struct arena *mem, const struct value *v, struct value *out);
bool text_is_url(struct str text, struct err *err);
bool text_is_host_port(struct str text, struct err *err);
bool text_is_hostname(struct str text);               /* RFC 1123 labels, at most 253 */
bool text_is_s3(struct str text, struct err *err);    /* s3://bucket/… */
/* ~/ is $HOME */
struct str path_absolute(struct arena *mem, const char *folder, struct str path);

#endif
