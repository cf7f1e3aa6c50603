#include "host/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/lazy.h"

struct tls_kept {
	SSL_CTX *ctx;
	char *ca_file;
};

const char *
tls_ca_file(const char *asked, const struct host_options *options)
{
	static const char *const places[] = {
		"/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine, Arch */
		"/etc/pki/tls/certs/ca-bundle.crt", /* Fedora, RHEL */
		"/etc/ssl/ca-bundle.pem", /* SUSE */
		"/etc/ssl/cert.pem", /* macOS, BSD */
	};
	if (asked != NULL || options->ca_file != NULL)
		return asked != NULL ? asked : options->ca_file;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (access(places[i], R_OK) == 0)
			return places[i];
	return NULL;
}

static const char *
name_text(struct arena *mem, const X509_NAME *name)
{
	BIO *out = BIO_new(BIO_s_mem());
	if (out == NULL
		|| X509_NAME_print_ex(out, name, 0,
			   XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB)
			< 0) {
		BIO_free(out);
		return "";
	}
	char *p;
	long n = BIO_get_mem_data(out, &p);
	char *text = arena_strndup(mem, p, (size_t)n);
	BIO_free(out);
	return text;
}

static int64_t
time_us(const ASN1_TIME *time)
{
	struct tm tm;
	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return 0;
	int64_t days = days_from_civil(tm.tm_year + 1900, (unsigned)tm.tm_mon + 1,
		(unsigned)tm.tm_mday);
	return (days * 86400 + tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec) * 1000000;
}

static const char *
ip_text(struct arena *mem, const ASN1_OCTET_STRING *ip)
{
	const unsigned char *b = ASN1_STRING_get0_data(ip);
	if (ASN1_STRING_length(ip) == 4)
		return arena_printf(mem, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
	struct buf text = buf_in(mem);
	for (int i = 0; i + 1 < ASN1_STRING_length(ip); i += 2)
		buf_printf(&text, "%s%x", i == 0 ? "" : ":", b[i] << 8 | b[i + 1]);
	return buf_cstr(&text);
}

static const char *const *
alt_names(struct arena *mem, const X509 *x)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	int n = all == NULL ? 0 : sk_GENERAL_NAME_num(all);
	const char **names = arena_array(mem, const char *, (size_t)n + 1);
	size_t kept = 0;
	for (int i = 0; i < n; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
		if (name->type == GEN_DNS)
			names[kept++] = arena_strndup(mem,
				(const char *)ASN1_STRING_get0_data(name->d.dNSName),
				(size_t)ASN1_STRING_length(name->d.dNSName));
		else if (name->type == GEN_IPADD)
			names[kept++] = ip_text(mem, name->d.iPAddress);
	}
	GENERAL_NAMES_free(all);
	return names;
}

const struct cert *
tls_certs(struct arena *mem, const SSL *ssl, size_t *n)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	*n = chain == NULL ? 0 : (size_t)sk_X509_num(chain);
	struct cert *certs = arena_array(mem, struct cert, *n);
	for (size_t i = 0; i < *n; i++) {
		const X509 *x = sk_X509_value(chain, (int)i);
		certs[i] = (struct cert){
			.subject = name_text(mem, X509_get_subject_name(x)),
			.issuer = name_text(mem, X509_get_issuer_name(x)),
			.names = alt_names(mem, x),
			.not_before = time_us(X509_get0_notBefore(x)),
			.not_after = time_us(X509_get0_notAfter(x)),
		};
	}
	return certs;
}

bool
tls_names_host(const SSL *ssl)
{
	X509 *leaf = SSL_get0_peer_certificate(ssl);
	return leaf != NULL && X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1) >= 0;
}

bool
tls_verify_error(struct err *err, const char *where, long result, const char *ca_file)
{
	switch (result) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return err_set(err, ERR_TLS, "the certificate of %s has expired", where);
	case X509_V_ERR_CERT_NOT_YET_VALID:
		err_set(err, ERR_TLS, "the certificate of %s is not valid yet", where);
		return err_hint(err, "look at the clock of this host");
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		err_set(err, ERR_TLS, "the certificate of %s is self-signed", where);
		return err_hint(err, "name a file with it or its authority in `ca`");
	case X509_V_ERR_APPLICATION_VERIFICATION:
		return err_set(err, ERR_TLS,
			"the certificate of %s names no host (it has no subjectAltName)",
			where);
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return err_set(err, ERR_TLS, "the certificate of %s is for another host",
			where);
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		err_set(err, ERR_TLS,
			"the certificate of %s comes from an authority that is not "
			"trusted here",
			where);
		return err_hint(err, "trusted are those in %s; name another file in `ca`",
			ca_file);
	default:
		return err_set(err, ERR_TLS, "the certificate of %s is not valid: %s",
			where, X509_verify_cert_error_string(result));
	}
}

void
tls_close_kept(struct tls_kept *kept)
{
	if (kept == NULL)
		return;
	SSL_CTX_free(kept->ctx);
	free(kept->ca_file);
	free(kept);
}

/* A name that does not match has another cause, and other words, where the certificate
 * names none. */
static int
on_verify(int ok, X509_STORE_CTX *ctx)
{
	int error = X509_STORE_CTX_get_error(ctx);
	X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
	if (!ok
		&& (error == X509_V_ERR_HOSTNAME_MISMATCH
			|| error == X509_V_ERR_IP_ADDRESS_MISMATCH)
		&& cert != NULL
		&& X509_get_ext_by_NID(cert, NID_subject_alt_name, -1) < 0)
		X509_STORE_CTX_set_error(ctx, X509_V_ERR_APPLICATION_VERIFICATION);
	return ok;
}

static struct tls_kept *
context_open(const char *ca_file, struct err *err)
{
	if (!lazy_ssl(err))
		return NULL;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct tls_kept *kept = calloc(1, sizeof *kept);
	if (ctx == NULL || kept == NULL)
		abort();
	*kept = (struct tls_kept){ctx, strdup(ca_file)};
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, on_verify);
	if (SSL_CTX_load_verify_file(ctx, ca_file) == 1)
		return kept;
	tls_close_kept(kept);
	err_set(err, ERR_NOT_FOUND, "there are no certificates to be read in %s",
		ca_file);
	return NULL;
}

static bool
set_name(SSL *ssl, const char *name)
{
	unsigned char ip[16];
	SSL_set_hostflags(ssl,
		X509_CHECK_FLAG_NEVER_CHECK_SUBJECT
			| X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (inet_pton(AF_INET, name, ip) == 1 || inet_pton(AF_INET6, name, ip) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
	return SSL_set_tlsext_host_name(ssl, name) == 1 && SSL_set1_host(ssl, name) == 1;
}

SSL *
tls_open(struct tls_kept **kept, const char *ca_file, int fd, const char *name,
	struct err *err)
{
	ERR_clear_error();
	if (*kept == NULL || strcmp((*kept)->ca_file, ca_file) != 0) {
		struct tls_kept *fresh = context_open(ca_file, err);
		if (fresh == NULL)
			return NULL;
		tls_close_kept(*kept);
		*kept = fresh;
	}
	SSL *ssl = SSL_new((*kept)->ctx);
	if (ssl == NULL)
		abort();
	if (set_name(ssl, name) && SSL_set_fd(ssl, fd) == 1)
		return ssl;
	SSL_free(ssl);
	err_set(err, ERR_VALUE, "'%s' is not a host name for TLS", name);
	return NULL;
}

static void
explain_failure(const SSL *ssl, const char *where, const char *ca_file, int kind,
	struct err *err)
{
	unsigned long code = ERR_peek_last_error();
	int reason = ERR_GET_REASON(code);
	const char *text = ERR_reason_error_string(code);
	if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
		tls_verify_error(err, where, SSL_get_verify_result(ssl), ca_file);
	else if (reason == SSL_R_WRONG_VERSION_NUMBER
		|| reason == SSL_R_PACKET_LENGTH_TOO_LONG)
		err_set(err, ERR_TLS, "%s does not speak TLS", where);
	else if (reason == SSL_R_UNSUPPORTED_PROTOCOL
		|| reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION)
		err_set(err, ERR_TLS, "%s speaks no TLS of version 1.2 or newer", where);
	else if (kind == SSL_ERROR_SYSCALL
		|| reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		err_set(err, ERR_NETWORK, "%s closed the connection in the TLS handshake",
			where);
		err_transient(err);
	} else
		err_set(err, ERR_TLS, "TLS handshake with %s failed: %s", where,
			text == NULL ? "no reason" : text);
}

enum tls_wants
tls_shake(SSL *ssl, const char *where, const char *ca_file, struct err *err)
{
	ERR_clear_error();
	int result = SSL_connect(ssl);
	if (result == 1)
		return TLS_DONE;
	int kind = SSL_get_error(ssl, result);
	if (kind == SSL_ERROR_WANT_READ)
		return TLS_READ;
	if (kind == SSL_ERROR_WANT_WRITE)
		return TLS_WRITE;
	explain_failure(ssl, where, ca_file, kind, err);
	return TLS_FAILED;
}
