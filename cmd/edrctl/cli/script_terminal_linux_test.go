package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"
)

// converse runs a command on a terminal of its own and holds a dialogue with
// it. What was on the terminal goes to stdout.
func converse(columns int, dialogue []typedAnswer, cmd *exec.Cmd) (status int, err error) {
	keyboard, tty, err := openTerminal(columns)
	if err != nil {
		return 0, err
	}
	defer func() { _ = keyboard.Close() }()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	_ = tty.Close()
	screen, gone := &watched{}, make(chan struct{})
	go func() {
		_, _ = io.Copy(screen, keyboard) // ends when the command has
		close(gone)
	}()
	read := 0 // what earlier prompts have used up
	for _, a := range dialogue {
		err := until(func() bool { return strings.Contains(screen.String()[read:], a.prompt) })
		if err == nil {
			read += strings.Index(screen.String()[read:], a.prompt) + len(a.prompt)
		}
		if err == nil && a.secret {
			err = until(func() bool { return !echoes(keyboard) })
		}
		if err == nil {
			_, err = io.WriteString(keyboard, keys(a.reply))
		}
		if err != nil {
			_ = cmd.Process.Kill()
			return 0, errors.Join(fmt.Errorf("waiting for %q on %q: %w", a.prompt, screen.String(), err), cmd.Wait())
		}
	}
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	status, err = statusOf(cmd.Wait())
	<-gone
	_, _ = io.WriteString(os.Stdout, visible(screen.String()))
	return status, err
}

// visible is what stays on a terminal. A line that has rewritten itself, as one
// that tells of progress does, shows what came last.
func visible(text string) string {
	var shown strings.Builder
	for line := range strings.Lines(strings.ReplaceAll(text, "\r\n", "\n")) {
		if !strings.Contains(line, "\r") {
			shown.WriteString(line)
			continue
		}
		var cells []rune
		for part := range strings.SplitSeq(strings.TrimSuffix(line, "\n"), "\r") {
			written := []rune(part)
			cells = append(written, cells[min(len(written), len(cells)):]...)
		}
		shown.WriteString(strings.TrimRight(string(cells), " ") + "\n")
	}
	return shown.String()
}

func openTerminal(columns int) (keyboard, tty *os.File, err error) {
	keyboard, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	fd := int(keyboard.Fd())
	number, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(columns)})
	}
	if err == nil {
		tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		_ = keyboard.Close()
		return nil, nil, err
	}
	return keyboard, tty, nil
}

// echoes reports whether a terminal shows what is typed.
func echoes(keyboard *os.File) bool {
	state, err := unix.IoctlGetTermios(int(keyboard.Fd()), unix.TCGETS)
	return err != nil || state.Lflag&unix.ECHO != 0
}

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"a\r\nb\r\n":                             "a\nb\n",
		"\r0 read\r      \rTENANT\r\nx\r\n":      "TENANT\nx\n",
		"\r0 of 9 done\r1 of 9 done\r\n":         "1 of 9 done\n",
		"long line\rshort\r\n":                   "shortline\n",
		"prompt? y\r\n\x1b[32mactive\x1b[0m\r\n": "prompt? y\n\x1b[32mactive\x1b[0m\n",
	} {
		assert.Equal(t, want, visible(text))
	}
}
