/* What gives a password away by where it stands, known to the vault or not: errors of
 * libraries and servers, and lines of files, quote addresses with passwords, connection
 * strings, headers and signatures (resilience.md C12). */
#ifndef BASE_SCRUB_H
#define BASE_SCRUB_H

#include "base/err.h"

/* The text with *** for
 *  - user and password before the host of a URL (RFC 3986, section 3.2.1);
 *  - what follows password=, passwd=, secret=, token= and signature=, whatever stands
 *    before: as libpq writes it, as a query of a URL, as a variable;
 *  - what follows Authorization:, Cookie:, Set-Cookie: and X-Amz-Security-Token: up to
 *    the end of the line.
 * A value ends at its quote, or at the one that stands open before the name. What stands
 * in ${{ }} is a name and stays. The text itself where there is nothing to mask.
 * marks: offsets in the text, in order, that become those of the result; one within what
 * is masked, its beginning. */
struct str
scrub_text(struct arena *mem, struct str text, uint32_t *marks, size_t n_marks);
void scrub_err(struct err *err);                      /* message and hint, in place */

#endif
