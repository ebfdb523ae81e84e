/* Reads the script of the examples: just enough JSON for these files. Nothing here is about hotfix.
   C11 and C++17. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A part of a file; ptr is null if it is missing. */
typedef struct text {
  const char *ptr;
  size_t len;
} text;

/* Reads a whole file, with a null byte at its end; null if it cannot be read. The caller frees it. */
static inline char *read_file(const char *folder, const char *name) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    return NULL;
  }
  size_t len = 0, room = 1 << 16;
  char *all = (char *)malloc(room);
  while (all != NULL) {
    len += fread(all + len, 1, room - len - 1, file);
    if (len + 1 < room) {
      all[len] = '\0';
      break;
    }
    char *more = (char *)realloc(all, room *= 2);
    if (more == NULL) {
      free(all);
    }
    all = more;
  }
  fclose(file);
  return all;
}

static inline const char *skip_blanks(const char *at, const char *end) {
  while (at < end && strchr(" \t\r\n", *at) != NULL) {
    at++;
  }
  return at;
}

/* Finds the end of the value that starts here. */
static inline const char *skip_value(const char *at, const char *end) {
  int depth = 0;
  bool in_string = false;
  for (; at < end; at++) {
    if (in_string) {
      if (*at == '\\') {
        at++;
      } else if (*at == '"') {
        in_string = false;
      }
    } else if (*at == '"') {
      in_string = true;
    } else if (*at == '{' || *at == '[') {
      depth++;
    } else if (*at == '}' || *at == ']') {
      if (depth == 0) {
        break;
      }
      depth--;
    } else if (*at == ',' && depth == 0) {
      break;
    }
  }
  return at < end ? at : end;
}

static inline text cut(const char *from, const char *to) {
  while (to > from && strchr(" \t\r\n", to[-1]) != NULL) {
    to--;
  }
  text piece = {from, (size_t)(to - from)};
  return piece;
}

/* Gets the next member of an object: begin with *at null; false after the last. */
static inline bool next_member(text object, const char **at, text *name, text *value) {
  const char *end = object.ptr + object.len;
  const char *p = skip_blanks(*at == NULL ? object.ptr + 1 : *at, end);
  if (p < end && *p == ',') {
    p = skip_blanks(p + 1, end);
  }
  if (p >= end || *p != '"') {
    return false;
  }
  const char *quote = (const char *)memchr(p + 1, '"', (size_t)(end - p - 1));
  *name = cut(p + 1, quote);
  p = skip_blanks(skip_blanks(quote + 1, end) + 1, end); /* the colon */
  *at = skip_value(p, end);
  *value = cut(p, *at);
  return true;
}

/* Gets the raw JSON of a member. */
static inline text member(text object, const char *wanted) {
  const char *at = NULL;
  text name, value, none = {NULL, 0};
  while (object.ptr != NULL && next_member(object, &at, &name, &value)) {
    if (name.len == strlen(wanted) && memcmp(name.ptr, wanted, name.len) == 0) {
      return value;
    }
  }
  return none;
}

/* Gets the content of a string; the scripts contain no escapes. */
static inline text string_of(text value) {
  text none = {NULL, 0};
  return value.len >= 2 ? cut(value.ptr + 1, value.ptr + value.len - 1) : none;
}

static inline bool is(text value, const char *word) {
  return value.len == strlen(word) && memcmp(value.ptr, word, value.len) == 0;
}

/* Reads the numbers of a list, or one number; returns how many. */
static inline size_t numbers(text value, double *out, size_t most) {
  size_t count = 0;
  const char *at = value.ptr, *end = value.ptr + value.len;
  while (at < end && count < most) {
    if (strchr("[], \n", *at) != NULL) {
      at++;
      continue;
    }
    char *after = NULL;
    out[count++] = strtod(at, &after);
    if (after == at) {
      break;
    }
    at = after;
  }
  return count;
}

/* Gets the next line of a file; false after the last. */
static inline bool next_line(const char **rest, text *line) {
  if (**rest == '\0') {
    return false;
  }
  const char *end = strchr(*rest, '\n');
  end = end == NULL ? *rest + strlen(*rest) : end;
  *line = cut(*rest, end);
  *rest = *end == '\0' ? end : end + 1;
  return true;
}

#endif
