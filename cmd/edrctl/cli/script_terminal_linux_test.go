package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

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
	_, _ = io.WriteString(os.Stdout, strings.ReplaceAll(screen.String(), "\r\n", "\n"))
	return status, err
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
