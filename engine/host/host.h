/* The only door to the outside world. Completion style: an operation is started with all
 * that it needs and later completes exactly once, never from inside start or cancel. Real
 * (libuv), scripted and virtual hosts differ in this table alone. */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "base/err.h"
#include "base/secret.h"
#include "base/time.h"

struct digest;

struct now {
	int64_t wall;                                 /* us since 1970 UTC */
	int64_t boot; /* ns since boot, suspend included (CLOCK_BOOTTIME) */
};

struct self {
	const char *host, *boot_id, *user, *tty;      /* tty: NULL without one */
	uint32_t uid, pid;
	uint64_t started;                             /* ticks of /proc/PID/stat */
	/* who sits before it, and how that is known (host/person.h); NULL: unknown */
	const char *person, *known_by;
};

enum op_kind {
	OP_SLEEP, OP_EXEC, OP_OPEN, OP_READ, OP_WRITE, OP_FILE, OP_HTTP, OP_MAIL, OP_SQL,
	OP_DNS, OP_CONNECT, OP_ORPHANS,
	OP_POSTED,
};

enum reach { /* the one fact that retry and resume rest on */
	/* not one byte of the request left: no route, refused, TLS failed, no such
	 * program */
	REACH_NONE,
	/* it may have arrived, and no whole answer came: lost, reset, timed out,
	 * cancelled */
	REACH_SENT,
	/* a whole answer came, whatever it says; a child ended by itself */
	REACH_ANSWERED,
};

struct op { /* owned by who starts it, until it has completed */
	enum op_kind kind;
	/* boot ns, always set; a child gets TERM then, KILL 5 s later */
	int64_t deadline;
	const void *ask; /* struct exec_ask and so on, by kind; lives until completion */
	/* struct exec_answer and so on, in `mem`; NULL until it completes with no err */
	const void *answer;
	struct arena *mem;
	enum reach reach;
	/* set (code != ERR_NONE): the operation itself failed; never for an unwelcome
	 * answer */
	struct err err;
	/* OP_EXEC that was ended: so many of its processes could not be */
	unsigned left;
	unsigned slot;                                /* the owner's number for it */
	void *owner, *handle;                         /* handle: the host's */
};

/* OP_EXEC. Children: vfork in the loop thread, setsid, PDEATHSIG=TERM, fds 0-2, empty
 * signal mask. With stream_out standard output is read by OP_READ ({from: this op}); with
 * stream_in standard input is written by OP_WRITE ({to: this op}); an operation that
 * streams is complete when the child has ended and its output was read to the end or
 * dropped. keep: bytes of each end of stdout and stderr that are kept. `tail` is told
 * each piece of output (masked by who asked), for the live view and the log. */
/* content, or text where it is NULL */
struct exec_file { const char *variable; const struct secret *content; struct str text; };
struct exec_ask {
	/* argv[0] is looked up in the PATH of env */
	const char *const *argv, *const *env, *dir;
	struct str in; /* all of standard input, unless stream_in */
	bool stream_in, stream_out, keep_log;
	size_t keep;
	void (*tail)(struct op *op, int fd, struct str piece);
	/* Each content goes to a file of mode 0600 in a private folder (0700), its path
	 * to the environment under `variable`; all are removed when the child has ended:
	 * PGPASSFILE, `files` of exec. */
	const struct exec_file *files;
	size_t n_files;
};
struct exec_answer {
	int code, signal; /* signal 0: it ended by itself with code */
	struct str out, err;
	bool cut, left_children; /* cut: the middle of out or err is missing */
};

/* a stream; what was written appears by fsync + rename on the last OP_WRITE */
struct open_ask {
	const char *path;
	bool write;
	/* NULL; else a folder below which path lies, relative to it: nothing outside is
	 * reached, no link is followed, and folders that are missing below it are made
	 * for a file that is written */
	const char *root;
};
struct open_answer { uint64_t size; int64_t modified; }; /* of a file that is read; us */
/* completes when full or at the end */
struct read_ask { struct op *from; void *into; size_t want; struct digest *digest; };
struct read_answer { size_t got; bool end; };
/* to an OPEN{write} or an EXEC{stream_in}; end: no more follows */
struct write_ask { struct op *to; struct str bytes; bool end; };

struct file_ask {
	enum {
		FILE_STAT, FILE_LIST, FILE_LOAD, FILE_REPLACE, FILE_REMOVE, FILE_DIGEST,
		FILE_WALK,
	} what;
	const char *path;
	/* REPLACE: by fsync + rename, mode 0600 unless the file exists */
	struct str bytes;
	size_t most; /* LOAD: larger is ERR_LIMIT; 0: 16 MiB. WALK: so many entries */
	/* LOAD, DIGEST: also the MD5 of each `part` bytes, of the whole where it is
	 * UINT64_MAX; 0: none */
	uint64_t part;
	const char *root; /* LOAD, REPLACE, REMOVE, DIGEST: as in open_ask; else NULL */
};
/* What is below a folder; folders themselves are not among it. Relative, '/' between. */
struct file_entry {
	const char *path;
	enum { ENTRY_FILE, ENTRY_LINK, ENTRY_OTHER } sort;
	uint64_t size;
	int64_t modified;                             /* us */
};
struct file_answer {
	bool exists, is_folder; /* REMOVE, REPLACE: whether it was there before */
	uint64_t size;
	int64_t modified;                             /* us */
	struct str bytes;                             /* LOAD */
	uint8_t sha256[32];                           /* LOAD and DIGEST */
	const uint8_t (*md5s)[16];                    /* NULL: none, or no MD5 (FIPS) */
	size_t n_md5s;
	const char *const *names;                     /* LIST, NULL-ended, sorted */
	/* WALK: sorted by bytes; links are not followed */
	const struct file_entry *entries;
	size_t n_entries;
};

struct header { const char *name, *value; };          /* names of answers in lower case */
/* us */
struct cert {
	const char *subject, *issuer;
	const char *const *names;
	int64_t not_before, not_after;
};

/* OP_HTTP. HTTP/1.1 or 2 as the server offers, forced to 1.1 with a body of 64 KiB or
 * more and with stream_out. Redirects are an answer. TLS is verified always. No proxy of
 * the environment. stream_out: with a status of 200 to 299 the operation completes when
 * the headers are there, and the body is read by OP_READ ({from: this op}), as it came
 * (no content coding is asked for); a connection that breaks later is the error of an
 * OP_READ. With any other status it completes as without stream_out, the body (at most 64
 * KiB) in the answer. stream_out is not used with `most`. */
struct http_ask {
	/* headers: "Name: value", NULL-ended */
	const char *method, *url, *const *headers;
	/* "host:port" to connect to instead; the URL's name stays for TLS and Host */
	const char *connect_to;
	/* "ip:port" of a DNS server; NULL: the run's, else the system's */
	const char *resolver;
	const char *ca_file; /* NULL: the run's, else the system's */
	const char *user; const struct secret *password;
	struct str body;
	/* bytes of the answer's body after decompression; more is ERR_LIMIT; 0: 16 MiB */
	size_t most;
	bool stream_out;                              /* read the body by OP_READ */
	bool link_local; /* link-local addresses may be reached (IMDS) */
	/* limits.addresses; NULL: all but link-local */
	const struct addresses *addresses;
};
struct http_answer {
	int status;
	const struct header *headers;
	size_t n_headers;
	struct str body;
	/* the chain that the server sent, leaf first; none for http: */
	const struct cert *certs;
	size_t n_certs;
	/* each alone; 0 on a connection kept from before */
	int64_t dns_ns, connect_ns, tls_ns;
	/* from the start; total with stream_out: to the headers */
	int64_t first_byte_ns, total_ns;
	const char *address;                          /* the IP that was connected */
};
/* Address ranges that may be reached besides public ones (resilience.md C16). */
struct address_range { uint8_t bytes[16]; uint8_t bits; }; /* IPv4 as ::ffff:a.b.c.d */
struct addresses {
	const struct address_range *ranges;
	size_t n;
	bool no_list;                 /* all but link-local, as where there are no limits */
	const struct addresses *also; /* have to allow it too; NULL */
};

struct mail_ask {
	/* smtp://host:port or smtps://…; STARTTLS is required, on loopback used where it
	 * is offered, with any certificate */
	const char *url, *from, *const *to, *user;
	const struct secret *password;
	struct str message;                           /* RFC 5322 with CRLF */
	const char *ca_file;
	const struct addresses *addresses;            /* as of http_ask */
};
struct mail_answer {
	int code;
	struct str text;
	const char *refused; /* the recipient that `code` is about; NULL: the mail */
};

/* OP_SQL. The connection is opened, used for this one ask and, unless it is kept, closed;
 * libpq by keywords, never a conninfo with foreign text. text holds one statement where
 * there are params, else one or several. read_only: BEGIN READ ONLY … ROLLBACK around it;
 * transaction: BEGIN … COMMIT. A connection that is lost after COMMIT was sent is
 * REACH_SENT. */
struct sql_ask {
	/* of PQconnectStartParams, NULL-ended; no password among them */
	const char *const *keywords, *const *values;
	const struct secret *password;
	const char *text;
	const char *const *params;                    /* NULL items are SQL null */
	size_t n_params;
	bool read_only, transaction;
	/* in the same transaction, first: one statement with one $1; NULL: none */
	const char *before, *before_param;
	size_t most_rows;                             /* more is ERR_LIMIT; 0: no bound */
	/* After an answer that is no error the session stays open, as a stream does: op
	 * lives on until cancel closes it. OP_READ from it says when it is lost. */
	bool keep;
	const struct addresses *addresses;            /* as of http_ask */
};
struct sql_row { const struct str *cells; const bool *nulls; };
struct sql_answer { /* of the last statement; an error of the server is an answer too */
	const struct sql_row *rows;
	size_t n_rows, n_cols;
	const char *const *names;
	const char *sqlstate, *message;              /* "00000"; of an error, else NULL */
	const uint32_t *types;                        /* OIDs */
	int64_t affected;
	int64_t before_affected;                      /* rows of `before` */
	const char *server_version, *address;
};

/* server "ip:port"; NULL: the run's resolver, else the system's */
struct dns_ask { const char *server, *name; uint16_t type; bool recurse; };
/* section: 1 answer, 2 authority, 3 additional. Names, in values too, are in lower case
 * and without the final dot; TXT is its bytes without quotes, joined; all else as in a
 * zone file. ttl: 0 from the system's A and AAAA, which tell none. */
struct dns_record {
	const char *name, *value;
	uint16_t type;
	uint32_t ttl;
	uint8_t section;
};
struct dns_answer {
	int rcode;
	bool authoritative;
	const struct dns_record *records;
	size_t n_records;
};

struct connect_ask {
	const char *host, *port;
	bool tls;
	const char *server_name, *starttls, *ca_file, *resolver;
	const struct addresses *addresses;
};
struct connect_answer {
	const char *address;
	int64_t total_ns;
	const struct cert *certs;
	size_t n_certs;
};

/* ends every process whose environment holds RBX_KEY=key, and its group */
struct orphans_ask { const char *key; int64_t grace; };
struct orphans_answer { unsigned found, left; };

struct host;

struct host_type {
	struct now (*now)(struct host *);
	const struct self *(*self)(struct host *);
	void (*random)(struct host *, void *bytes, size_t n);         /* run ids only */
	const char *(*env)(struct host *, const char *name);
	/* As the name service says, which it may wait for. person NULL: whether there is
	 * such a group. */
	bool (*in_group)(struct host *, const char *person, const char *group);
	/* a failure to start is a completion like any other */
	void (*start)(struct host *, struct op *);
	/* it still completes, with ERR_CANCELLED and its reach */
	void (*cancel)(struct host *, struct op *);
	/* complete an OP_POSTED; the only call from another thread */
	void (*post)(struct host *, struct op *);
	/* next completion; NULL: `until` (boot ns) passed, or a signal came */
	struct op *(*wait)(struct host *, int64_t until, int *signal);
};

struct host {
	const struct host_type *type;
};

/* The real host. One a process, used by the thread that opened it: children get SIGTERM
 * when that thread ends. Signals INT, TERM, HUP and WINCH are told by wait from then on,
 * each as often as it came; PIPE is ignored. */
struct host_options {
	const char *resolver, *ca_file; /* for the whole run; NULL: the system's */
	int64_t grace;                                /* ns from TERM to KILL; 0: 5 s */
};
struct host *host_open(const struct host_options *options, struct err *err);
/* Cancels what is in flight, whose ops must still be there, and waits until every child
 * has ended or been killed: the grace and a second at most. False: a disk hangs, and the
 * process must end by _exit, for exit() would wait for it. */
bool host_close(struct host *host);

#endif
