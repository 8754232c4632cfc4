/*
 * Code without call frame information: in assembler with a frame pointer and without one, made at run time, compiled
 * without unwind tables; and CFI in forms that need registers which the fast walk does not keep.
 *
 * unwind: differs 200 libunwind 1.6.2 ends at a caller's rbp that is in another register (DW_CFA_register)
 * unwind: lib libnocfi lib_no_cfi.c -O2 -fno-asynchronous-unwind-tables -fno-exceptions -fno-omit-frame-pointer
 * unwind: link @/libnocfi.so -Wl,-rpath,@
 */
#include "edge.h"
#include <string.h>
#include <sys/mman.h>

void without_tables(void (*f)(void)); /* lib_no_cfi.c */

#define ASM(name, body)                                                                                      \
	void name(void (*f)(void));                                                                          \
	__asm__(".pushsection .text\n.type " #name ", @function\n" #name ":\n" body "\n" #name "_end:\n"     \
		".size " #name ", . - " #name "\n.popsection")

ASM(framed, "push %rbp\nmov %rsp, %rbp\ncall *%rdi\npop %rbp\nret");
/* the CFA by rbx, by an expression on rbx, by r12 saved in another register's stead */
ASM(cfa_is_rbx,
    ".cfi_startproc\npush %rbx\n.cfi_def_cfa_offset 16\n.cfi_offset %rbx, -16\nmov %rsp, %rbx\n"
    ".cfi_def_cfa %rbx, 16\nsub $64, %rsp\ncall *%rdi\nmov %rbx, %rsp\n.cfi_def_cfa %rsp, 16\npop %rbx\n"
    ".cfi_def_cfa_offset 8\nret\n.cfi_endproc");
ASM(cfa_is_of_rbx,
    ".cfi_startproc\npush %rbx\n.cfi_def_cfa_offset 16\n.cfi_offset %rbx, -16\nmov %rsp, %rbx\n"
    ".cfi_escape 0x0f, 2, 0x73, 16\nsub $64, %rsp\ncall *%rdi\nmov %rbx, %rsp\n"
    ".cfi_def_cfa %rsp, 16\npop %rbx\n.cfi_def_cfa_offset 8\nret\n.cfi_endproc");
ASM(rbp_is_in_r12,
    ".cfi_startproc\npush %r12\n.cfi_def_cfa_offset 16\n.cfi_offset %r12, -16\nmov %rbp, %r12\n"
    ".cfi_register %rbp, %r12\nmov $77, %ebp\ncall *%rdi\nmov %r12, %rbp\n.cfi_restore %rbp\n"
    "pop %r12\n.cfi_def_cfa_offset 8\nret\n.cfi_endproc");
/* rbp's value by an expression on r12: DW_CFA_val_expression */
ASM(rbp_is_of_r12,
    ".cfi_startproc\npush %r12\n.cfi_def_cfa_offset 16\n.cfi_offset %r12, -16\nmov %rbp, %r12\n"
    ".cfi_escape 0x16, 6, 2, 0x7c, 0\nmov $77, %ebp\ncall *%rdi\nmov %r12, %rbp\n.cfi_restore %rbp\n"
    "pop %r12\n.cfi_def_cfa_offset 8\nret\n.cfi_endproc");

static void (*made)(void (*)(void));

static int is_tall;

FRAME static void taker(void)
{
	TAKE(51); // 100 from taker < ? < right < main; 100 from taker < ? < tall < right < main
}

FRAME static void tables_taker(void)
{
	TAKE(53); // 100 from tables_taker < ? < with_rbp < main; 100 from tables_taker < ? < with_made < main
}

FRAME static void cfa_taker(void)
{
	TAKE(54); // 400 from cfa_taker < ? < by_registers < main; 400 from cfa_taker < ? < tall < by_registers < main
}

/* A frame whose CFA is rbp's. */
FRAME static void tall(void (*through)(void (*)(void)), void (*f)(void))
{
	volatile char *a = __builtin_alloca((size_t)(is_tall + 16));

	a[0] = 1;
	through(f);
	a[0] = 2;
}

FRAME static void right(void)
{
	framed(taker);
	tall(framed, taker);
}

FRAME static void with_rbp(void)
{
	without_tables(tables_taker);
	STAY;
}

FRAME static void with_made(void)
{
	made(tables_taker);
	STAY;
}

FRAME static void by_registers(void)
{
	void (*const all[])(void (*)(void)) = {cfa_is_rbx, cfa_is_of_rbx, rbp_is_in_r12, rbp_is_of_r12};

	for (unsigned i = 0; i < 4; i++) {
		all[i](cfa_taker);
		tall(all[i], cfa_taker);
	}
}

int main(void)
{
	extern char framed_end[];
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(page != MAP_FAILED);
	memcpy(page, (void *)framed, (size_t)(framed_end - (char *)(void *)framed));
	made = (void (*)(void (*)(void)))page;
	for (volatile int i = 0; i < 100; i++) {
		is_tall = i;
		right();
		with_rbp();
		with_made();
		by_registers();
	}
	return 0;
}
