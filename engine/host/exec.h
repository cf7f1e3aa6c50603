/* A child, in two files: exec.c is its life, exec_io.c its three pipes. Internal to
 * host/. */
#ifndef HOST_EXEC_H
#define HOST_EXEC_H

#include "host/capture.h"
#include "host/exec_files.h"
#include "host/real.h"
#include "host/sweep.h"

#include <sys/types.h>

enum { EXEC_IN, EXEC_OUT, EXEC_ERR };

struct exec_pipe {
	struct ear ear;                       /* first */
	struct exec *exec;
	int fd;                               /* our end; -1: closed */
	struct capture capture;               /* of out and err */
};

struct exec {
	struct handle handle;                 /* op: NULL once it has completed */
	struct link child;                    /* in real->children until it is reaped */
	pid_t pid;                            /* also its group and session */
	bool dead, reaped; /* dead: a zombie, kept so that its group keeps its number */
	int code, signal;
	struct exec_pipe pipes[3];
	struct exec_files files;
	bool stream_in, stream_out;
	struct str rest;                      /* of standard input, to be written */
	struct op *read, *write;              /* the parts in flight */
	size_t got;                           /* of the part that reads */
	struct timer drain; /* after its end, while a pipe is still held */
	bool held;                            /* by another, when that was over */

	enum err_code why;                    /* it is being ended: TIMEOUT, CANCELLED */
	bool by_itself;                       /* it was dead already when that began */
	bool killing;                         /* KILL was sent */
	struct sweep_known *known;            /* what the last look found */
	size_t left;
	struct timer grace, look;
	bool looking;                         /* a job of the pool is */
};

bool exec_io_open(struct exec *exec, const struct exec_ask *ask, int theirs[3],
	struct err *err);
void exec_io_start(struct exec *exec, struct str in);
void exec_io_close(struct exec *exec, int which);
void exec_io_read(struct exec *exec, struct op *part);
void exec_io_write(struct exec *exec, struct op *part);
/* A part in flight ends with an error, if there is one. */
void exec_io_break(struct exec *exec, enum err_code code, const char *why);

void exec_check(struct exec *exec);           /* something ended: is it all? */
void exec_drain(struct exec *exec);           /* data moved after its end */
void exec_free(struct exec *exec);            /* when nothing holds it any more */

#endif
