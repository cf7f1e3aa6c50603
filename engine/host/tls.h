/* Certificates and what OpenSSL says of them. Internal to host/. */
#ifndef HOST_TLS_H
#define HOST_TLS_H

#include "host/host.h"

#include <openssl/ssl.h>

struct tls_kept;

/* The file of trusted certificates: the one asked for, else the run's, else the system's;
 * NULL: there is none. */
const char *tls_ca_file(const char *asked, const struct host_options *options);

/* The chain that the other side sent, leaf first, into mem. */
const struct cert *tls_certs(struct arena *mem, const SSL *ssl, size_t *n);

/* RFC 9525: the name stands in subjectAltName; a common name is not looked at. */
bool tls_names_host(const SSL *ssl);

/* A client's side of a connection on fd, by TLS 1.2 or newer. name: of the certificate, a
 * host or an IP address. The trusted certificates are kept in *kept for the next one;
 * tls_close_kept gives them back. NULL: err is set. */
SSL *tls_open(struct tls_kept **kept, const char *ca_file, int fd, const char *name,
	struct err *err);
void tls_close_kept(struct tls_kept *kept);

enum tls_wants { TLS_DONE, TLS_READ, TLS_WRITE, TLS_FAILED };
enum tls_wants tls_shake(SSL *ssl, const char *where, const char *ca_file,
	struct err *err);

/* ERR_TLS for a result of X509_verify: expired, self-signed and so on in words. where:
 * "host:port". */
bool tls_verify_error(struct err *err, const char *where, long result,
	const char *ca_file);

#endif
