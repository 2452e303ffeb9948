#ifndef TINY_LIBEDIT_SHIM_H
#define TINY_LIBEDIT_SHIM_H

#include <histedit.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

// What Swift cannot call, for it takes arguments in any number, and the functions that keys are bound to.

// What the editor knows besides its line.
struct tiny_line_editor {
    EditLine *editor;
    History *history;
    const char *prompt;
    // Whether Ctrl-C ended the line, and whether there was anything in it.
    _Bool was_interrupted;
    _Bool was_empty;
};

static inline char *tiny_editor_prompt(EditLine *editor) {
    struct tiny_line_editor *self;
    el_get(editor, EL_CLIENTDATA, &self);
    return (char *)self->prompt;
}

static inline unsigned char tiny_editor_interrupt(EditLine *editor, int key) {
    struct tiny_line_editor *self;
    el_get(editor, EL_CLIENTDATA, &self);
    const LineInfo *line = el_line(editor);
    (void)key;
    self->was_interrupted = 1;
    self->was_empty = line->buffer == line->lastchar;
    return CC_EOF;
}

// As the terminal does it, the whole job; with a signal that waits for no handler, so that what follows comes after it.
static inline unsigned char tiny_editor_suspend(EditLine *editor, int key) {
    (void)key;
    el_set(editor, EL_PREP_TERM, 0);
    kill(0, SIGSTOP);
    el_set(editor, EL_PREP_TERM, 1);
    return CC_REDISPLAY;
}

// Inserts what is pasted, line ends and all: a message of several lines is sent by the Enter that follows.
//
// ESC [ 200 ~ came before; all up to ESC [ 201 ~ is text, whatever it looks like.
static inline unsigned char tiny_editor_paste(EditLine *editor, int key) {
    static const wchar_t end[] = L"\033[201~";
    const size_t end_count = 6;
    size_t count = 0, room = 256;
    wchar_t *text = malloc(room * sizeof(wchar_t)), next;
    (void)key;
    while (text && el_wgetc(editor, &next) == 1) {
        if (count + 2 > room) {
            wchar_t *larger = realloc(text, 2 * room * sizeof(wchar_t));
            if (!larger) { break; }
            text = larger;
            room *= 2;
        }
        text[count++] = next;
        if (count >= end_count && wmemcmp(text + count - end_count, end, end_count) == 0) {
            count -= end_count;
            break;
        }
    }
    if (!text) { return CC_ERROR; }
    // Terminals send a line's end as a carriage return; other control characters are no text.
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        wchar_t c = text[i];
        if (c == L'\r') {
            text[kept++] = L'\n';
            if (i + 1 < count && text[i + 1] == L'\n') { i++; }
        } else if (c == L'\n' || c == L'\t' || (c >= 0x20 && !(c >= 0x7F && c < 0xA0))) {
            text[kept++] = c;
        }
    }
    while (kept > 0 && text[kept - 1] == L'\n') { kept--; }
    text[kept] = L'\0';
    int failed = kept > 0 && el_winsertstr(editor, text) != 0;
    free(text);
    return failed ? CC_ERROR : CC_REFRESH;
}

// A line editor on the terminal, or null.
static inline struct tiny_line_editor *tiny_editor_open(const char *program) {
    struct tiny_line_editor *self = calloc(1, sizeof *self);
    if (!self) { return 0; }
    HistEvent event;
    self->history = history_init();
    self->editor = el_init(program, stdin, stdout, stderr);
    if (!self->editor || !self->history) {
        if (self->history) { history_end(self->history); }
        if (self->editor) { el_end(self->editor); }
        free(self);
        return 0;
    }
    EditLine *editor = self->editor;
    history(self->history, &event, H_SETSIZE, 1000);
    history(self->history, &event, H_SETUNIQUE, 1);
    el_set(editor, EL_CLIENTDATA, self);
    el_set(editor, EL_PROMPT, tiny_editor_prompt);
    el_set(editor, EL_EDITOR, "emacs");
    el_set(editor, EL_HIST, history, self->history);
    // Puts the terminal right when the process is stopped or ended, and follows changes of its size.
    el_set(editor, EL_SIGNAL, 1);
    // Ctrl-C and Ctrl-Z are keys like any other while a line is edited. The first goes to the line's end before it does what
    // it does, so that what follows is written below all of it.
    el_set(editor, EL_SETTY, "-d", "-isig", NULL);
    el_set(editor, EL_ADDFN, "tiny-interrupt", "clear the line", tiny_editor_interrupt);
    el_set(editor, EL_BIND, "^_", "tiny-interrupt", NULL);
    el_set(editor, EL_BIND, "^E", "ed-move-to-end", NULL);
    el_set(editor, EL_BIND, "-s", "^C", "^E^_", NULL);
    el_set(editor, EL_ADDFN, "tiny-suspend", "stop the process", tiny_editor_suspend);
    el_set(editor, EL_BIND, "^Z", "tiny-suspend", NULL);
    el_set(editor, EL_ADDFN, "tiny-paste", "insert pasted text", tiny_editor_paste);
    el_set(editor, EL_BIND, "\\e[200~", "tiny-paste", NULL);
    el_set(editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_set(editor, EL_BIND, "\\e[3~", "ed-delete-next-char", NULL);
    el_set(editor, EL_BIND, "\\e[1;5D", "ed-prev-word", NULL);
    el_set(editor, EL_BIND, "\\e[1;5C", "em-next-word", NULL);
    // Inserting and deleting in place counts characters where it should count columns, and leaves a mess of wide ones:
    // without these the rest of the line is written again, which is right.
    const char *misused[] = {"ic", "IC", "im", "ei", "dc", "DC", "dm", "ed"};
    for (size_t i = 0; i < sizeof misused / sizeof *misused; i++) {
        el_set(editor, EL_SETTC, misused[i], "", NULL);
    }
    return self;
}

// The next line with its end, valid until the next call; null where there is no more, or Ctrl-C was pressed.
static inline const char *tiny_editor_read(struct tiny_line_editor *self, const char *prompt, int *count) {
    self->prompt = prompt;
    self->was_interrupted = 0;
    self->was_empty = 0;
    return el_gets(self->editor, count);
}

static inline void tiny_editor_remember(struct tiny_line_editor *self, const char *line) {
    HistEvent event;
    history(self->history, &event, H_ENTER, line);
}

static inline void tiny_editor_close(struct tiny_line_editor *self) {
    el_end(self->editor);
    history_end(self->history);
    free(self);
}

#endif
