#include "tools/report/style.h"

/* The assembler takes the file in, as #embed of C23 will: so it stays a stylesheet that an editor
 * knows, with no step that makes C of it. The path is that of the folder where make runs. */
__asm__(".section .rodata\n"
	".globl style_css\n"
	".hidden style_css\n"
	".type style_css, %object\n"
	"style_css:\n"
	".incbin \"tools/report/style.css\"\n"
	".byte 0\n"
	".size style_css, . - style_css\n"
	".previous\n");
