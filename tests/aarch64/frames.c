/*
 * Frames that no compiler makes, or few: without CFI, with a return address far from both ends of the frame or without
 * a frame record, larger than a rule can say, made at run time, in terms of registers that the fast walk does
 * not keep; and an x29 that is no frame pointer, or CFI that is wrong.
 *
 * unwind: builds -O2 -fno-omit-frame-pointer|-O0|-O2 -fno-omit-frame-pointer -mbranch-protection=standard
 */
#include "../unwind/edge.h"
#include <string.h>
#include <sys/mman.h>

#define ASM(name, body)                                                                                      \
	void name(void (*f)(void));                                                                          \
	__asm__(".pushsection .text\n.globl " #name ", " #name "_end\n.type " #name ", @function\n" #name    \
		":\n" body "\n" #name "_end:\n"                                                              \
		".size " #name ", . - " #name "\n.popsection")

ASM(framed, "stp x29, x30, [sp, #-48]!\nmov x29, sp\nblr x0\nldp x29, x30, [sp], #48\nret");
/* no record at all: its caller is missed, not those further out that have one */
ASM(unframed, "stp x19, x30, [sp, #-16]!\nblr x0\nldp x19, x30, [sp], #16\nret");
ASM(lone_x30,
    ".cfi_startproc\nstr x30, [sp, #-32]!\n.cfi_def_cfa_offset 32\n.cfi_offset x30, -32\n"
    "mov x9, x0\nblr x9\nldr x30, [sp], #32\n.cfi_restore x30\n.cfi_def_cfa_offset 0\nret\n.cfi_endproc");
/* the record apart: x29 above x30 */
ASM(swapped,
    ".cfi_startproc\nstp x30, x29, [sp, #-16]!\n.cfi_def_cfa_offset 16\n.cfi_offset x30, -16\n"
    ".cfi_offset x29, -8\nblr x0\nldp x30, x29, [sp], #16\n.cfi_def_cfa_offset 0\nret\n.cfi_endproc");
ASM(far, ".cfi_startproc\nsub sp, sp, #480\n.cfi_def_cfa_offset 480\nstp x29, x30, [sp, #240]\n"
	 ".cfi_offset x29, -240\n.cfi_offset x30, -232\nadd x29, sp, #240\nblr x0\nldp x29, x30, [sp, #240]\n"
	 "add sp, sp, #480\n.cfi_def_cfa_offset 0\n.cfi_restore x29\n.cfi_restore x30\nret\n.cfi_endproc");
ASM(at_the_top, ".cfi_startproc\nsub sp, sp, #320\n.cfi_def_cfa_offset 320\nstp x29, x30, [sp, #304]\n"
		".cfi_offset x29, -16\n.cfi_offset x30, -8\nadd x29, sp, #304\n.cfi_def_cfa x29, 16\nblr x0\n"
		"ldp x29, x30, [sp, #304]\n.cfi_def_cfa sp, 320\nadd sp, sp, #320\n.cfi_def_cfa_offset 0\n"
		".cfi_restore x29\n.cfi_restore x30\nret\n.cfi_endproc");
ASM(huge, ".cfi_startproc\nstp x29, x30, [sp, #-16]!\n.cfi_def_cfa_offset 16\n.cfi_offset x29, -16\n"
	  ".cfi_offset x30, -8\nsub sp, sp, #8, lsl #12\n.cfi_def_cfa_offset 32784\nblr x0\n"
	  "add sp, sp, #8, lsl #12\n.cfi_def_cfa_offset 16\nldp x29, x30, [sp], #16\n.cfi_def_cfa_offset 0\n"
	  "ret\n.cfi_endproc");
/* the CFA by x19, by an expression on x19; x29 saved in x20's stead, or as an expression on it */
#define SAVED                                                                                                \
	".cfi_startproc\nstp x19, x30, [sp, #-32]!\n.cfi_def_cfa_offset 32\n.cfi_offset x19, -32\n"          \
	".cfi_offset x30, -24\nstr x20, [sp, #16]\n.cfi_offset x20, -16\n"
#define RESTORED "ldr x20, [sp, #16]\nldp x19, x30, [sp], #32\n.cfi_def_cfa_offset 0\nret\n.cfi_endproc"
ASM(cfa_is_x19, SAVED "mov x19, sp\n.cfi_def_cfa x19, 32\nsub sp, sp, #64\nblr x0\nmov sp, x19\n"
		      ".cfi_def_cfa sp, 32\n" RESTORED);
ASM(cfa_is_of_x19, SAVED "mov x19, sp\n.cfi_escape 0x0f, 2, 0x83, 32\nsub sp, sp, #64\nblr x0\nmov sp, x19\n"
			 ".cfi_def_cfa sp, 32\n" RESTORED);
ASM(x29_is_in_x20, SAVED "mov x20, x29\n.cfi_register x29, x20\nmov x29, #77\nblr x0\nmov x29, x20\n"
			 ".cfi_restore x29\n" RESTORED);
ASM(x29_is_of_x20,
    SAVED "mov x20, x29\n.cfi_escape 0x16, 29, 2, 0x84, 0\nmov x29, #77\nblr x0\nmov x29, x20\n"
	  ".cfi_restore x29\n" RESTORED);
/* x29 is no address at all, an odd one, one of nothing, of zeros on the stack */
#define NO_RECORD(name, set)                                                                                 \
	ASM(name, "stp x29, x30, [sp, #-32]!\nstp xzr, xzr, [sp, #16]\n" set "\nblr x0\n"                    \
		  "ldp x29, x30, [sp], #32\nret")
NO_RECORD(x29_is_0, "mov x29, #0");
NO_RECORD(x29_is_odd, "add x29, sp, #1");
NO_RECORD(x29_is_nowhere, "mov x29, #0x7ffffffff000");
NO_RECORD(x29_is_zeros, "add x29, sp, #16");
/* CFI that is wrong: the return address not saved, or the CFA what lies at the address 0 */
ASM(not_saved,
    ".cfi_startproc\nstp x29, x30, [sp, #-16]!\nmov x29, sp\nblr x0\nldp x29, x30, [sp], #16\nret\n"
    ".cfi_endproc");
ASM(cfa_is_at_0,
    ".cfi_startproc\nstp x29, x30, [sp, #-16]!\n.cfi_escape 0x0f, 3, 0x8d, 0x78, 6\nmov x29, #8\n"
    "blr x0\nldp x29, x30, [sp], #16\nret\n.cfi_endproc");

static void (*made)(void (*)(void));
static volatile int wide;

FRAME static void taker(void)
{
	TAKE(51); // 1100 from taker < ? < by_cfi < main; 1100 from taker < ? < tall < by_cfi < main
}

FRAME static void record_taker(void)
{
	TAKE(52); // 300 from record_taker < ? < by_record < main; 300 from record_taker < ? < tall < by_record < main
}

FRAME static void lost_taker(void)
{
	TAKE(53); // 100 from lost_taker < ? < main
}

FRAME static void end_taker(void)
{
	TAKE(54); // 500 from end_taker < ? < ...
}

/* A frame whose CFA is x29's. */
FRAME static void tall(void (*through)(void (*)(void)), void (*f)(void))
{
	volatile char *a = __builtin_alloca((size_t)(wide + 16));

	a[0] = 1;
	through(f);
	a[0] = 2;
}

FRAME static void by_cfi(void)
{
	void (*const all[])(void (*)(void)) = {lone_x30,   swapped,       far,           at_the_top,   huge,
					       cfa_is_x19, cfa_is_of_x19, x29_is_in_x20, x29_is_of_x20};

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		all[i](taker);
		tall(all[i], taker);
	}
	/* two in a row without a record */
	lone_x30(taker);
	swapped(taker);
	tall(lone_x30, taker);
	tall(swapped, taker);
}

FRAME static void by_record(void)
{
	void (*const all[])(void (*)(void)) = {framed, made, not_saved};

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		all[i](record_taker);
		tall(all[i], record_taker);
	}
}

FRAME static void missed(void)
{
	unframed(lost_taker);
	STAY;
}

FRAME static void wrong(void)
{
	void (*const all[])(void (*)(void)) = {x29_is_0, x29_is_odd, x29_is_nowhere, x29_is_zeros,
					       cfa_is_at_0};

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
		all[i](end_taker);
}

int main(void)
{
	extern char framed_end[];
	size_t bytes = (size_t)(framed_end - (char *)(void *)framed);
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(page != MAP_FAILED);
	memcpy(page, (void *)framed, bytes);
	__builtin___clear_cache(page, page + bytes);
	made = (void (*)(void (*)(void)))(void *)page;
	for (volatile int i = 0; i < 100; i++) {
		wide = i;
		by_cfi();
		by_record();
		missed();
		wrong();
	}
	return 0;
}
