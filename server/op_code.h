/*
 * The operator code: whoever shows it to the server becomes an operator, and then it is gone.
 *
 * It is a file in the data folder, mode 0600, made when a server starts that has no operator,
 * or by lanchatd --operator-code. Who can read it owns the server anyway.
 *
 * Any thread; guarded by a lock inside.
 */
#ifndef LANCHAT_SERVER_OP_CODE_H
#define LANCHAT_SERVER_OP_CODE_H

#include "common/message.h"
#include "server/data_folder.h"

#include <stdbool.h>

#define OP_CODE_FILE "operator-code"
#define OP_CODE_SIZE 20 /* "abcd-efgh-ijkl-mnop" */

struct op_code;

/* ERR_MEMORY. */
int op_code_new(const struct data_folder *folder, struct op_code **out);
void op_code_free(struct op_code *o); /* NULL is allowed */

/* Make a code, in place of the one that there was. ERR_SYSTEM with errno, ERR_MEMORY. */
int op_code_make(struct op_code *o, char out[OP_CODE_SIZE]);

/* The code that there is. ERR_NOT_FOUND; ERR_SYSTEM with errno; ERR_TEXT: the file has none. */
int op_code_read(struct op_code *o, char out[OP_CODE_SIZE]);

/* Is it the code, in capitals or without the dashes perhaps? Then it is used up, if `then` says that what was asked for is done; false where it is
 * not the code, and `then` is not called. `*result` is what `then` said. */
bool op_code_use(struct op_code *o, struct span shown, enum code (*then)(void *context),
	void *context, enum code *result);

#endif
