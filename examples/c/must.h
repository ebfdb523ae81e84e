/* What the examples in C do when a call fails. */
#ifndef MUST_H
#define MUST_H

#include <stdio.h>
#include <stdlib.h>

#include <hotfix.h>

/* Ends the program if a call failed. It takes the address, because the order in which arguments are
   evaluated is not specified: the call sets the error. */
static inline void must(hotfix_status status, hotfix_error **error) {
  if (status == HOTFIX_STATUS_OK) {
    return;
  }
  hotfix_str code = hotfix_error_code(*error), path = hotfix_error_path(*error);
  hotfix_str message = hotfix_error_message(*error);
  fprintf(stderr, "%s %.*s at %.*s: %.*s\n", hotfix_status_name(status), (int)code.len, code.ptr,
          (int)path.len, path.ptr, (int)message.len, message.ptr);
  hotfix_error_free(*error);
  exit(1);
}

#endif
