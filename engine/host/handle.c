#include "host/real.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void *
handle_new(struct real *real, struct op *op, size_t size)
{
	assert(size >= sizeof(struct handle) && op->handle == NULL);
	struct handle *handle = calloc(1, size);
	if (handle == NULL)
		abort();
	handle->real = real;
	handle->op = op;
	list_append(&real->open, &handle->open);
	op->handle = handle;
	return handle;
}

void
handle_free(void *with)
{
	struct handle *handle = with;
	if (handle == NULL)
		return;
	real_timer_stop(handle->real, &handle->deadline);
	list_remove(&handle->open);
	if (handle->op != NULL && handle->op->handle == handle)
		handle->op->handle = NULL;
	free(handle);
}

void
handle_deadline(void *with, void (*fn)(void *handle))
{
	struct handle *handle = with;
	real_timer(handle->real, &handle->deadline, handle->op->deadline, fn, handle);
}

static void
grow(struct real *real)
{
	size_t cap = real->ready_cap == 0 ? 64 : real->ready_cap * 2;
	struct op **ready = malloc(cap * sizeof(struct op *));
	if (ready == NULL)
		abort();
	for (size_t i = 0; i < real->ready_n; i++)
		ready[i] = real->ready[(real->ready_from + i) % real->ready_cap];
	free(real->ready);
	real->ready = ready;
	real->ready_from = 0;
	real->ready_cap = cap;
}

void
real_complete(struct real *real, struct op *op)
{
	if (op->kind == OP_READ || op->kind == OP_WRITE)
		handle_free(op->handle);
	if (op->err.code != ERR_NONE)
		op->answer = NULL;
	if (real->ready_n == real->ready_cap)
		grow(real);
	real->ready[(real->ready_from + real->ready_n++) % real->ready_cap] = op;
}

void
real_answer(struct real *real, struct op *op, const void *answer)
{
	op->answer = answer;
	op->reach = REACH_ANSWERED;
	real_complete(real, op);
}

void
real_fail(struct real *real, struct op *op, enum reach reach, enum err_code code,
	const char *format, ...)
{
	char text[sizeof op->err.msg];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	err_set(&op->err, code, "%s", text);
	op->reach = reach;
	real_complete(real, op);
}

void *
job_new(struct real *real, struct op *op, size_t size)
{
	assert(size >= sizeof(struct job));
	struct job *job = calloc(1, size);
	if (job == NULL)
		abort();
	job->real = real;
	job->op = op;
	return job;
}

static void
job_work(uv_work_t *request)
{
	struct job *job = request->data;
	job->work(job);
}

static void
job_done(uv_work_t *request, int status)
{
	struct job *job = request->data;
	(void)status;
	job->real->jobs--;
	job->done(job);
	free(job);
}

void
real_blocking(struct job *job, void (*work)(struct job *), void (*done)(struct job *))
{
	job->work = work;
	job->done = done;
	job->request.data = job;
	job->real->jobs++;
	int queued = uv_queue_work(&job->real->loop, &job->request, job_work, job_done);
	assert(queued == 0);
	(void)queued;
}
