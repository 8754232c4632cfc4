/* Built without unwind tables and with a frame pointer. */
void without_tables(void (*f)(void));
static __attribute__((noipa)) void through(void (*f)(void))
{
	f();
	__asm__ volatile("");
}

void without_tables(void (*f)(void))
{
	through(f);
	__asm__ volatile("");
}
