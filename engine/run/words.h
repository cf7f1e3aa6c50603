/* Words of the records back into their numbers; 0 where the word is none of them. */
#ifndef RUN_WORDS_H
#define RUN_WORDS_H

#include "run/state.h"

enum fate fate_parse(struct str word);
enum outcome outcome_parse(struct str word);
enum way way_parse(struct str word);
enum grade grade_parse(struct str word);
enum mode mode_parse(struct str word);
enum halt halt_parse(struct str word);
enum ending ending_parse(struct str word);
enum choice choice_parse(struct str word);
enum question_kind question_kind_parse(struct str word);
const char *question_kind_word(enum question_kind kind);
int effect_parse(struct str word);                    /* enum effect; -1 */
const char *effect_text(enum effect effect);

#endif
