#include <hotfix.h>

uint32_t version_in_b(void);

uint32_t version_in_b(void) { return hotfix_abi_version(); }
