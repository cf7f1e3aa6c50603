/* The step DAG of a playbook as people read it: an outline, Graphviz's DOT, Mermaid. Pure. An edge says what waits for what:
 * the step above in a list, the `needs` of a parallel. */
#ifndef MODEL_GRAPH_H
#define MODEL_GRAPH_H

#include "model/playbook.h"

enum graph_form { GRAPH_TEXT, GRAPH_DOT, GRAPH_MERMAID };

void graph_write(struct buf *out, const struct playbook *book, enum graph_form form, bool ascii);

#endif
