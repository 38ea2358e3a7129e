package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"

	p "github.com/pulumi/pulumi-go-provider"
)

// run executes the command, if there is one, and keeps its output in the state.
func (state *CommandState) run(ctx context.Context, command *string) error {
	if command == nil {
		return nil
	}
	line := append(state.interpreter(), *command)
	process := exec.CommandContext(ctx, line[0], line[1:]...)
	process.Env = state.environment()
	if state.Dir != nil {
		process.Dir = *state.Dir
	}
	if state.Stdin != nil {
		process.Stdin = strings.NewReader(*state.Stdin)
	}

	var stdout, stderr bytes.Buffer
	var both lockedBuffer
	log, finishLog := logLines(ctx)
	process.Stdout = io.MultiWriter(&stdout, &both, state.logged("stdout", log))
	process.Stderr = io.MultiWriter(&stderr, &both, state.logged("stderr", log))
	err := process.Run()
	finishLog()
	if err != nil {
		return fmt.Errorf("%w: running %q:\n%s", err, *command, both.String())
	}
	state.Stdout = strings.TrimSuffix(stdout.String(), "\n")
	state.Stderr = strings.TrimSuffix(stderr.String(), "\n")
	return nil
}

func (state *CommandState) interpreter() []string {
	if state.Interpreter == nil || len(*state.Interpreter) == 0 {
		return []string{"/bin/sh", "-c"}
	}
	return append([]string{}, *state.Interpreter...)
}

func (state *CommandState) environment() []string {
	environment := os.Environ()
	if state.Environment != nil {
		for name, value := range *state.Environment {
			environment = append(environment, name+"="+value)
		}
	}
	if state.AddPreviousOutputInEnv != nil && !*state.AddPreviousOutputInEnv {
		return environment
	}
	if state.Stdout != "" {
		environment = append(environment, "PULUMI_COMMAND_STDOUT="+state.Stdout)
	}
	if state.Stderr != "" {
		environment = append(environment, "PULUMI_COMMAND_STDERR="+state.Stderr)
	}
	return environment
}

// logged is where a stream goes besides the state: to the log, unless `logging` leaves it out.
func (state *CommandState) logged(stream string, log io.Writer) io.Writer {
	if state.Logging == nil || *state.Logging == "stdoutAndStderr" || *state.Logging == stream {
		return log
	}
	return io.Discard
}

// logLines passes lines on to the user as they come; finish waits for the last one.
func logLines(ctx context.Context) (writer io.Writer, finish func()) {
	reader, pipe := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		lines := bufio.NewReader(reader)
		for {
			line, err := lines.ReadString('\n')
			if line != "" {
				p.GetLogger(ctx).Info(strings.TrimSuffix(line, "\n"))
			}
			if err != nil {
				return
			}
		}
	}()
	return pipe, func() {
		pipe.Close()
		<-done
	}
}

// lockedBuffer keeps both streams in the order in which they came.
type lockedBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(data)
}

func (b *lockedBuffer) String() string { return b.buffer.String() }
