/* The header in two units of one program, and twice in one: see twice_b.c. */
#include <hotfix.h>
#include <hotfix.h>

uint32_t version_in_b(void);

int main(void) { return version_in_b() == hotfix_abi_version() ? 0 : 1; }
