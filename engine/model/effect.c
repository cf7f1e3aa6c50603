#include "model/load.h"

const char *
effect_name(enum effect effect)
{
	static const char *const names[] = {
		[PURE] = "pure",
		[IDEMPOTENT] = "idempotent",
		[KEYED] = "keyed",
		[PROBED] = "probed",
		[ONCE] = "once",
		[REPEATABLE] = "repeatable",
	};
	return names[effect];
}

/* The author's word first; a step that may be done once only and has a probe is probed.
 */
static enum effect
judge(const struct node *node, const struct value *in)
{
	enum effect effect = PURE;
	if (node->kind == NODE_PLAYBOOK)
		return node->call_dry_run ? PURE : ONCE;
	if (node->kind != NODE_STEP || node->type == NULL)
		return PURE;
	if (node->effect >= 0)
		effect = (enum effect)node->effect;
	else if (in != NULL && node->type->effect_of != NULL)
		effect = node->type->effect_of(in);
	else
		effect = node->type->effect;
	return effect == ONCE && node->probe != NULL ? PROBED : effect;
}

enum effect
class_of(const struct info *info, const struct value *in)
{
	return judge(&info->node, in);
}

enum effect
node_effect(const struct node *node, const struct value *in)
{
	return in == NULL ? node->class : judge(node, in);
}
