#include "run/loop.h"
#include "run/provide.h"

/* Where the accounts of a run are limited, whose credentials its steps have is looked at
 * before the first check: a step that would act elsewhere stops the run before anything
 * was changed. What is not written out, but comes from an expression, is looked at when
 * the step is reached. */

/* The arguments as they are written, as far as the provider reads them. false: one of
 * them is an expression. */
static bool
written_part(const struct provider *provider, const struct value *written)
{
	const struct field *row;
	for (size_t i = 0; (row = field_at(provider->in, i)) != NULL; i++) {
		struct str text = value_get_str(written, row->name);
		if (str_find(text, STR("${{")) < text.n)
			return false;
	}
	return true;
}

static const struct value *
written_args(const struct node *node)
{
	const struct step_type *type = node->type;
	if (node->kind != NODE_STEP || type == NULL || type->uses == NULL
		|| node->args == NULL)
		return NULL;
	const struct value *written = template_source(node->args);
	if (type->uses_if != NULL && !type->uses_if(written))
		return NULL;
	return written_part(type->uses, written) ? written : NULL;
}

/* Credentials that cannot be had may not be needed: only whose they are counts here. */
static bool
is_allowed(struct shell *shell, const struct node *node, struct err *err)
{
	const struct value *written = written_args(node), *got;
	struct want want;
	if (written == NULL)
		return true;
	if (provide_now(shell, &want, node->type->uses, written, &got, err)) {
		provide_drop(&want);
		return true;
	}
	if (err->code != ERR_DENIED || shell->leaving) {
		*err = (struct err){0};
		return true;
	}
	err->code = ERR_SECRET;
	err_wrap(err, "step '%s'", node->id);
	return err_at(err, node->at);
}

bool
identities_judge(struct shell *shell, struct err *err)
{
	const struct playbook *book = shell->book;
	if (value_get(book->limits, "accounts") == NULL)
		return true;
	for (size_t i = 0; i < book->n_nodes; i++)
		if (!is_allowed(shell, book->nodes[i], err))
			return false;
	return true;
}
