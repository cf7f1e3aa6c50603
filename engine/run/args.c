#include "run/args.h"

static bool
no_option(const struct node *node, const struct value *in, struct err *err)
{
	const struct value *argv = value_get(in, "argv");
	const struct value *written = node->args == NULL ? NULL :
		value_get(template_source(node->args), "argv");
	if (argv == NULL || argv->kind != V_LIST || written == NULL
		|| written->kind != V_LIST)
		return true;
	for (size_t i = 0; i < argv->list.n && i < written->list.n; i++) {
		const struct value *source = &written->list.items[i],
				   *item = &argv->list.items[i];
		if (source->kind != V_STRING || !str_starts(source->str, STR("${{")) ||
		    item->kind != V_STRING || !str_starts(item->str, STR("-")))
			continue;
		err_set(err, ERR_VALUE,
			"an argument that comes from an expression begins with '-': "
			"the program would take it for an option");
		err_hint(err, "put '--' before it, or write the option itself into argv");
		return err_at(err, value_mark(source));
	}
	return true;
}

bool
args_judge(const struct node *node, const struct value *given, struct arena *mem,
	struct value *out, struct err *err)
{
	struct diags diags = {.mem = mem};
	bool good =
		fields_apply(node->type->in, given, node->book->folder, mem, out, &diags);
	if (good && node->type->check != NULL)
		good = node->type->check(out, &diags);
	if (!good || diags.errors > 0) {
		for (const struct diag *it = diags.first; it != NULL; it = it->next)
			if (it->level == DIAG_ERROR) {
				*err = it->err;
				return false;
			}
		return err_set(err, ERR_VALUE, "the arguments of %s are wrong",
			node->type->name);
	}
	return no_option(node, out, err);
}

bool
args_restore(struct scope *scope, const struct node *node, const struct value *recorded,
	struct value *out, struct err *err)
{
	struct value given;
	if (recorded == NULL) {
		if (!scope_fill(scope, node->args, &given, err))
			return false;
	} else if (!template_restore(scope->mem, recorded, &scope->names->env,
			   &scope->expr, &given, err)) {
		return false;
	}
	return args_judge(node, &given, scope->mem, out, err);
}
