#include "common/err.h"

const char *err_text(int code)
{
	switch ((enum err)code) {
	case ERR_NONE:
		return "success";
	case ERR_AGAIN:
		return "not complete yet";
	case ERR_CLOSED:
		return "the connection was closed";
	case ERR_PROTOCOL:
		return "the protocol was broken";
	case ERR_SYSTEM:
		return "a system call failed";
	case ERR_MEMORY:
		return "out of memory";
	case ERR_TOO_BIG:
		return "too long";
	case ERR_TEXT:
		return "not clean UTF-8 text";
	case ERR_ARGUMENT:
		return "not a valid value";
	case ERR_TIMEOUT:
		return "timed out";
	case ERR_RESOLVE:
		return "the name has no address";
	case ERR_REFUSED:
		return "refused";
	case ERR_NOT_FOUND:
		return "not found";
	case ERR_EXISTS:
		return "exists already";
	case ERR_FULL:
		return "a limit was reached";
	case ERR_STOPPING:
		return "shutting down";
	case ERR_CRYPTO:
		return "the crypto library failed";
	case ERR_DAMAGED:
		return "damaged";
	}
	return "unknown error";
}
