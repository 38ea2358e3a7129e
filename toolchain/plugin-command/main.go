// Command pulumi-resource-command is a stand-in for Pulumi's command plugin, for machines that cannot download it.
// It has the resource `command:local:Command` without `assetPaths` and `archivePaths`.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

const version = "1.2.1"

func main() {
	provider, err := infer.NewProviderBuilder().WithResources(infer.Resource(&Command{})).Build()
	if err == nil {
		err = provider.Run(context.Background(), "command", version)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Command runs shell commands in the steps of a resource's life.
type Command struct{}

func (c *Command) Annotate(a infer.Annotator) { a.SetToken("local", "Command") }

// CommandArgs has the names and meanings of @pulumi/command's local.CommandArgs.
type CommandArgs struct {
	Create                 *string            `pulumi:"create,optional"`
	Update                 *string            `pulumi:"update,optional"`
	Delete                 *string            `pulumi:"delete,optional"`
	Triggers               *[]any             `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Interpreter            *[]string          `pulumi:"interpreter,optional"`
	Dir                    *string            `pulumi:"dir,optional"`
	Environment            *map[string]string `pulumi:"environment,optional"`
	Stdin                  *string            `pulumi:"stdin,optional"`
	Logging                *string            `pulumi:"logging,optional"`
	AddPreviousOutputInEnv *bool              `pulumi:"addPreviousOutputInEnv,optional"`
}

// CommandState is what the resource publishes: its inputs and the last run's output.
type CommandState struct {
	CommandArgs
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

func (Command) Create(
	ctx context.Context, request infer.CreateRequest[CommandArgs],
) (infer.CreateResponse[CommandState], error) {
	response := infer.CreateResponse[CommandState]{Output: CommandState{CommandArgs: request.Inputs}}
	id, err := resource.NewUniqueHex(request.Name, 8, 0)
	if err != nil {
		return response, err
	}
	response.ID = id
	if request.DryRun {
		return response, nil
	}
	return response, response.Output.run(ctx, request.Inputs.Create)
}

func (Command) Update(
	ctx context.Context, request infer.UpdateRequest[CommandArgs, CommandState],
) (infer.UpdateResponse[CommandState], error) {
	state := request.State
	state.CommandArgs = request.Inputs
	if request.DryRun {
		return infer.UpdateResponse[CommandState]{Output: state}, nil
	}
	command := request.Inputs.Update
	if command == nil {
		command = request.Inputs.Create
	}
	err := state.run(ctx, command)
	return infer.UpdateResponse[CommandState]{Output: state}, err
}

func (Command) Delete(ctx context.Context, request infer.DeleteRequest[CommandState]) (infer.DeleteResponse, error) {
	return infer.DeleteResponse{}, request.State.run(ctx, request.State.Delete)
}
