/* The forms in which a secret may turn up in a text. */
#ifndef BASE_FORMS_H
#define BASE_FORMS_H

#include "base/str.h"

/* Calls add(with, form) for each form of `bytes`, some of them twice; the form is gone
 * after the call:
 *  - as it is;
 *  - base64 (RFC 4648, both alphabets) inside of a longer text, at each of the three
 * offsets: only the characters that no neighbour has a part in;
 *  - hex, in both cases;
 *  - URL-encoded, as RFC 3986 (all but unreserved), as JavaScript's encodeURIComponent,
 * as paths
 *    ('/' stays) and as forms (blank is '+'), hex in both cases;
 *  - escaped as a JSON string: the least (RFC 8259), with "\/", ASCII only, and HTML-safe
 * as Go does it;
 *  - escaped for XML and HTML.
 * `room` holds forms_room(bytes.n) bytes. */
void forms_each(struct str bytes, char *room, void (*add)(void *with, struct str form),
	void *with);
size_t forms_room(size_t n);

#endif
