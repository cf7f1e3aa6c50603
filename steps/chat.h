/* What chat and alarm services are sent: the bodies of their requests. Pure. */
#ifndef STEPS_CHAT_H
#define STEPS_CHAT_H

#include "run/step.h"

/* A message with an Adaptive Card, as Workflows and incoming webhooks take it. */
struct value chat_teams(struct arena *mem, const char *subject, struct str words);

/* An event of the Events API v2 by the arguments routing_key, severity and resolve. */
struct value chat_pagerduty(struct step *step, struct str text);

#endif
